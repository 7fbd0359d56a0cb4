//! A promotion that was killed while it waited for the answer to its merge request: its permit is open.

use std::process::Command;

use rustix::process::Signal;
use selfext_contracts::TestDatabase;
use selfext_twin::{Fault, FaultKind, Gate};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::github::Github;
use crate::live::Live;
use crate::world::{Ran, World};

/// The run.
pub const RUN: &str = "stuck";

pub const LISTED: &str = "paused; run stuck may still merge pull request 1";
pub const PAUSED: &str = "paused; nothing can merge until resume";

/// What people are advised to do about it.
pub const ADVICE: &str = "  pause again with `--wait` to follow it to its end, or with `--fence --github o/agent` to stop it; if a crash \
                          left it, `selfext reconcile --github o/agent` settles it";

pub struct Stuck {
    pub github: Github,
    gate: Gate,
    database: Option<TestDatabase>,
}

impl Stuck {
    /// The merge request arrives only when the gate is opened.
    pub async fn before_the_merge() -> Self {
        Self::at(FaultKind::Hold, None).await
    }

    /// The merge happened; only its answer was lost.
    pub async fn after_the_merge() -> Self {
        Self::at(FaultKind::HoldAnswer, None).await
    }

    pub async fn before_the_merge_on_postgres() -> Self {
        Self::at(FaultKind::Hold, Some(TestDatabase::create().await)).await
    }

    async fn at(kind: fn(Gate) -> FaultKind, database: Option<TestDatabase>) -> Self {
        let gate = Gate::new();
        let stuck = Self { github: Github::new().await, gate: gate.clone(), database };
        let fault = Fault::on("PUT", "/repos/o/agent/pulls/*/merge", kind(gate.clone()));
        stuck.github.serving.handle().add_fault(fault);
        let from = stuck.github.world.write("x", "second\n");
        let file = format!("agent.txt={from}");
        let promotion = Live::start(stuck.github(&["promote", "--run", RUN, "--message", "Say why", "--file", &file]));
        gate.arrived(1).await;
        promotion.signal(Signal::KILL);
        promotion.end();
        stuck
    }

    /// A command on the ledger alone.
    pub fn command(&self, args: &[&str]) -> Command {
        self.on_ledger(self.github.world.command(args))
    }

    /// A command that names the repository.
    pub fn github(&self, args: &[&str]) -> Command {
        self.on_ledger(self.github.quiet_command(args))
    }

    fn on_ledger(&self, mut command: Command) -> Command {
        if let Some(database) = &self.database {
            command.env("SELFEXT_DATABASE_URL", database.url());
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    pub fn pause(&self, args: &[&str]) -> Ran {
        self.run(&[&["pause", "--reason", "looking", "--by", "op"], args].concat())
    }

    pub fn pause_with_target(&self, args: &[&str]) -> Command {
        self.github(&[&["pause", "--reason", "looking", "--by", "op"], args].concat())
    }

    pub fn status(&self) -> Value {
        self.run(&["status", "--json"]).json()
    }

    /// As if the permit's two minutes were over.
    pub async fn let_its_time_pass(&self) {
        let ledger = self.github.world.ledger();
        let mut ledger = SqliteConnection::connect(ledger.to_str().unwrap()).await.unwrap();
        for statement in [
            "DROP TRIGGER self_extension_events_no_update",
            "UPDATE self_extension_events SET created_at = '2020-01-01T00:00:00.000Z' WHERE event_type = 'merge_started'",
        ] {
            sqlx::query(statement).execute(&mut ledger).await.unwrap();
        }
        ledger.close().await.unwrap();
    }

    /// Lets what the killed promotion had sent arrive, ends, and answers what is left.
    pub async fn end(self) -> World {
        let Self { github: Github { world, serving, .. }, gate, database } = self;
        gate.open();
        serving.shutdown().await;
        if let Some(database) = database {
            database.drop().await;
        }
        world
    }
}
