//! The private Postgres server, and its databases.

use std::sync::Arc;

use selfext_contracts::PrivateCluster;
use selfext_contracts::ledger::Story;
use selfext_domain::GoalId;
use selfext_domain::ports::{Ledger, PromotionControl, Queries};
use selfext_store::{DatabaseUrl, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use url::Url;

use crate::contents::{OfMany, in_sql_with};

/// How many events a run of the full ledger has.
const RUN: u64 = 8;
/// How many goals its runs serve.
const GOALS: u64 = 1_000;
/// How many events are written at a time. Each merge passes the ones before it in the index of open permits, until their transaction
/// is over.
const CHUNK: u64 = 4_000;

/// A Postgres server that syncs its writes.
pub struct Server {
    pub cluster: PrivateCluster,
}

impl Server {
    pub async fn start() -> Self {
        let server = Self { cluster: PrivateCluster::start().await.unwrap() };
        // The clusters of tests do not sync.
        for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
            run(server.cluster.url(), &format!("ALTER SYSTEM SET {setting} = on")).await;
        }
        run(server.cluster.url(), "SELECT pg_reload_conf()").await;
        while server.says("SHOW fsync").await != "on" {
            tokio::task::yield_now().await;
        }
        server
    }

    pub async fn says(&self, question: &str) -> String {
        ask(self.cluster.url(), question).await
    }

    /// A fresh database with the ledger in it.
    pub async fn database(&self, name: &str) -> Database {
        run(self.cluster.url(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(self.cluster.url(), &format!("CREATE DATABASE {name}")).await;
        let mut url = Url::parse(self.cluster.url()).unwrap();
        url.set_path(name);
        let store = Store::open(&DatabaseUrl::parse(url.as_str()).unwrap()).await.unwrap();
        store.migrate().await.unwrap();
        for table in [
            "bare (LIKE self_extension_events INCLUDING IDENTITY)",
            "indexed (LIKE self_extension_events INCLUDING ALL)",
            "narrow (content text, sequence bigint)",
        ] {
            run(url.as_str(), &format!("CREATE TABLE {table}")).await;
        }
        Database { pgbench: self.cluster.programs().join("pgbench"), url, store }
    }
}

/// A database with the ledger in it.
pub struct Database {
    pub pgbench: std::path::PathBuf,
    pub url: Url,
    pub store: Store,
}

impl Database {
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        self.store.ledger()
    }

    /// The ledger as another process has it, with connections of its own.
    pub async fn ledger_of_its_own(&self) -> Arc<dyn Ledger> {
        Store::open(&DatabaseUrl::parse(self.url.as_str()).unwrap()).await.unwrap().ledger()
    }

    pub fn control(&self) -> Arc<dyn PromotionControl> {
        self.store.control()
    }

    pub fn queries(&self) -> Arc<dyn Queries> {
        self.store.queries()
    }

    /// One of the goals that the runs of the full ledger serve.
    pub fn any_goal() -> GoalId {
        GoalId::parse(format!("goal-{}", fastrand::u64(..GOALS))).unwrap()
    }

    /// The name of the run of this number in the full ledger.
    pub fn run_name(number: u64) -> String {
        format!("old-{number}")
    }

    /// Writes whole runs until there are so many events. The last hundred stay open.
    pub async fn fill(&self, events: u64) {
        let runs = events / RUN;
        let (name, id) = ("'old-' || r", "('0198e000-0000-7000-8000-' || lpad(to_hex(r * 8 + k), 12, '0'))");
        let goal = format!("'goal-' || r % {GOALS}");
        let of_many = Some(&OfMany { fingerprint: "lpad(to_hex(r), 64, '0')", goal: &goal });
        let proposed = in_sql_with(Story::proposed, name, id, of_many);
        let tested = in_sql_with(Story::tested, name, id, of_many);
        let merging = in_sql_with(Story::merge_started, name, id, of_many);
        let promoted = in_sql_with(Story::promoted, name, id, of_many);
        for first in (0..runs).step_by(usize::try_from(CHUNK / RUN).unwrap()) {
            let last = (first + CHUNK / RUN).min(runs) - 1;
            let open_from = runs.saturating_sub(100);
            self.run(&format!(
                "INSERT INTO self_extension_events (content, sequence)
                 SELECT CASE WHEN k = 1 THEN {proposed} WHEN k < {RUN} - 1 OR r >= {open_from} THEN {tested}
                        WHEN k = {RUN} THEN {promoted} ELSE {merging} END, k
                 FROM generate_series({first}::bigint, {last}) r, generate_series(1::bigint, {RUN}) k ORDER BY r, k"
            ))
            .await;
        }
        self.run("VACUUM ANALYZE").await;
        self.run("CHECKPOINT").await;
    }

    pub async fn run(&self, sql: &str) {
        run(self.url.as_str(), sql).await;
    }
}

async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn ask(url: &str, question: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = sqlx::raw_sql(AssertSqlSafe(question)).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}
