//! Tests of this folder. Secrets are put together at run time: no scanner shall find one in the source.

mod escaping;
mod found;
mod kept;
mod limits;
mod ordinary;
mod properties;
mod samples;
