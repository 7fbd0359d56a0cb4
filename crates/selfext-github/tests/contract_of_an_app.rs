//! The contract of the port `Forge`, kept by `OctocrabForge` over the twin with the identity of a GitHub App, whose tokens have the
//! long form.

mod twin_world;

use twin_world::TwinWorld;

selfext_contracts::forge_contract!(TwinWorld<true>);
