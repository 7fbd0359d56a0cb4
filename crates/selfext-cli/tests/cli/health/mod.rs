//! A real agent, started from its repository's main branch by a supervisor, and watched by a real `selfext watch`.

mod commands;
mod examples;
mod scenes;
mod supervisor;
mod watching;
