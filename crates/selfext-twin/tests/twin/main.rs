//! The twin over the wire: a client of this suite's own speaks HTTP to it, and git looks at what came of it.

mod app;
mod checks;
mod client;
mod faults;
mod fixture;
mod git_objects;
mod graphql;
mod merges;
mod merges_async;
mod promotion;
mod pulls;
mod queue;
mod refs;
mod restart;
mod server;
