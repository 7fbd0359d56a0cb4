//! A ledger with some runs in it, on either database.

use std::time::Duration;

use selfext::audit::audit::FindingKind;
use selfext::audit::note::{KeyName, SignerKey, VerifierKey};
use selfext::{Audit, DatabaseUrl, LedgerError, Operations, RecordedEvent, RunId, SealError, Sealed};
use selfext_contracts::ledger::{Story, append, operator};
use selfext_contracts::{TempSqlite, TestDatabase};
use selfext_store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// The two databases.
pub enum Database {
    Postgres(TestDatabase),
    Sqlite(TempSqlite),
}

pub struct Ground {
    database: Database,
    pub operations: Operations,
    store: Store,
    pub key: SignerKey,
    pub runs: Vec<RunId>,
}

impl Ground {
    pub async fn on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let url = DatabaseUrl::parse(database.url()).unwrap();
        Self::of(Database::Postgres(database), url).await
    }

    pub async fn on_sqlite() -> Self {
        let file = TempSqlite::new();
        let url = DatabaseUrl::sqlite(file.path());
        Self::of(Database::Sqlite(file), url).await
    }

    async fn of(database: Database, url: DatabaseUrl) -> Self {
        let store = Store::connect(&url).await.unwrap();
        let operations = Operations::open(&url).await.unwrap();
        let key = SignerKey::generate(KeyName::parse("example.com/tests").unwrap(), &[7; 32]);
        let mut ground = Self { database, operations, store, key, runs: Vec::new() };
        for number in 1..=3 {
            ground.begin(&format!("run {number}")).await;
        }
        ground.operations.pause(&operator("ada"), "looking", false).await.unwrap();
        ground.operations.resume(&operator("ada"), None).await.unwrap();
        ground
    }

    /// A run of three events, which is over.
    pub async fn begin(&mut self, name: &str) {
        let story = Story::new(name);
        story.begin(&self.store.ledger()).await;
        append(&self.store.ledger(), &story.failed(), 3).await.unwrap();
        self.runs.push(story.run);
    }

    pub async fn read(&self, run: &str) -> Result<Vec<RecordedEvent>, LedgerError> {
        self.store.ledger().stream_events(&RunId::parse(run).unwrap().into()).await
    }

    pub fn public(&self) -> Vec<VerifierKey> {
        vec![self.key.verifier().clone()]
    }

    /// Seals once all events can be sealed: where other transactions are open on the server, that is a little later.
    pub async fn seal(&self, events: u64) -> Sealed {
        let sealing = async {
            let mut look_again = tokio::time::interval(Duration::from_millis(5));
            loop {
                look_again.tick().await;
                match self.operations.seal(&self.key).await {
                    Ok(sealed) if sealed.checkpoint.size >= events => return sealed,
                    Ok(_) | Err(SealError::Nothing) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), sealing).await.expect("everything can be sealed in the end")
    }

    pub async fn audit_with(&self, anchors: &[String]) -> Audit {
        self.operations.audit(self.public(), anchors, |_| ()).await.unwrap()
    }

    /// What the audit finds, each kind once.
    pub async fn kinds(&self, anchors: &[String]) -> Vec<FindingKind> {
        let audit = self.audit_with(anchors).await;
        FindingKind::ALL.into_iter().filter(|kind| audit.report.count_of(*kind) > 0).collect()
    }

    /// As the owner of everything, with every trigger off.
    pub async fn tamper(&self, postgres: &str, sqlite: &str) {
        match &self.database {
            Database::Postgres(database) => {
                let mut connection = sqlx::PgConnection::connect(database.url()).await.unwrap();
                let tables = ["self_extension_events", "self_extension_checkpoints", "self_extension_open_runs"];
                let off = tables.map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER ALL;")).concat();
                connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("{off} {postgres}")))).await.unwrap();
            }
            Database::Sqlite(file) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path());
                let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
                let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
                let names: Vec<String> = sqlx::query_scalar(triggers).fetch_all(&mut connection).await.unwrap();
                for name in names {
                    connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER {name}")))).await.unwrap();
                }
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sqlite.to_owned()))).await.unwrap();
            }
        }
    }
}

/// Runs a case on both databases.
#[macro_export]
macro_rules! on_both {
    ($($case:ident)+) => {
        $(
            mod $case {
                #[tokio::test]
                async fn postgres() {
                    super::cases::$case($crate::ground::Ground::on_postgres().await).await;
                }

                #[tokio::test]
                async fn sqlite() {
                    super::cases::$case($crate::ground::Ground::on_sqlite().await).await;
                }
            }
        )+
    };
}
