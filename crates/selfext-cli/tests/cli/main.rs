//! The command `selfext` as a person or a program runs it: the real binary, real repositories, real databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allow;
mod app;
mod auditing;
mod checkout;
mod control;
mod databases;
mod demo;
mod doctor;
mod following;
mod git_server;
mod github;
mod health;
mod history;
mod init;
mod interrupt;
mod live;
mod local;
mod looking;
mod odd;
mod paths;
mod pausing;
mod pygithub;
mod read_paths;
mod runs;
mod serve;
mod sizes;
mod sources;
mod stuck;
mod templates;
mod together;
mod twin;
mod world;
