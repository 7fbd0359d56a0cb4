//! The contract of the port `Forge`, kept by `OctocrabForge` over the twin.

mod twin_world;

use twin_world::TwinWorld;

selfext_contracts::forge_contract!(TwinWorld);
