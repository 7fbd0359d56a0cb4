//! What the roles of agents and operators may do, and what nobody may.

use std::time::Duration;

use selfext_contracts::control::{pause_request, resume_request};
use selfext_contracts::ledger::{LedgerFixture, Story, append, begin_merge, commit_of, fresh_id};
use selfext_domain::ports::{ControlError, Lease, LedgerError, MergeGrant};
use selfext_domain::{CONTROL_KEY, ControlState, EventBody, Heartbeat, Reporter, UnknownEvent};
use selfext_store::Store;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use url::Url;

use crate::fixture::{PgFixture, connect};

/// A login of its own for one test.
struct Login {
    url: Url,
    name: String,
}

impl Login {
    /// Makes a login that is a member of a role.
    async fn of(fixture: &PgFixture, role: &str) -> Self {
        let name = format!("{role}_{}", fresh_id().as_uuid().simple());
        fixture.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'for-tests' IN ROLE {role}")).await.unwrap();
        let mut url = Url::parse(fixture.database.url()).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some("for-tests")).unwrap();
        Self { url, name }
    }

    async fn store(&self) -> Store {
        connect(self.url.as_str()).await
    }

    /// The SQLSTATE with which statements of this login are refused; `None` if all of them are carried out.
    async fn refused(&self, sql: &str) -> Option<String> {
        let mut connection = PgConnection::connect(self.url.as_str()).await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        done.err().map(|error| {
            let code = error.as_database_error().and_then(DatabaseError::code);
            code.map_or_else(|| error.to_string(), std::borrow::Cow::into_owned)
        })
    }
}

const DENIED: &str = "42501";
const GUARDED: &str = "23001";

/// Every statement that an agent could try against ledger and control, as a login of the agent's role.
const ATTACKS: &[(&str, &str, &str)] = &[
    ("update", "UPDATE self_extension_events SET content = '{}'", DENIED),
    ("update nothing", "UPDATE self_extension_events SET content = '{}' WHERE false", DENIED),
    ("delete", "DELETE FROM self_extension_events", DENIED),
    ("truncate", "TRUNCATE self_extension_events", DENIED),
    ("drop", "DROP TABLE self_extension_events", DENIED),
    ("drop a column", "ALTER TABLE self_extension_events DROP COLUMN hash", DENIED),
    ("rewrite the table", "ALTER TABLE self_extension_events ALTER COLUMN content TYPE text USING '{}'", DENIED),
    ("disable the triggers", "ALTER TABLE self_extension_events DISABLE TRIGGER ALL", DENIED),
    ("drop a trigger", "DROP TRIGGER self_extension_events_append_only ON self_extension_events", DENIED),
    ("drop an index", "DROP INDEX self_extension_events_order", DENIED),
    ("add a rule", "CREATE RULE r AS ON INSERT TO self_extension_events DO INSTEAD NOTHING", DENIED),
    ("add a policy", "ALTER TABLE self_extension_events ENABLE ROW LEVEL SECURITY", DENIED),
    ("pose as a replica", "SET session_replication_role = replica", DENIED),
    ("become the owner", "SET ROLE selfext_owner", DENIED),
    ("become an operator", "SET ROLE selfext_operator", DENIED),
    ("be granted the owner's role", "GRANT selfext_owner TO CURRENT_USER", DENIED),
    ("take the table over", "ALTER TABLE self_extension_events OWNER TO CURRENT_USER", DENIED),
    ("insert", "INSERT INTO self_extension_events (content, sequence) VALUES ('{}', 1)", DENIED),
    (
        "insert with an id, a past date and another run's hash",
        "INSERT INTO self_extension_events (id, content, sequence, created_at, prev_hash, hash)
         OVERRIDING SYSTEM VALUE VALUES (1, '{}', 1, '1999-01-01', '', '')",
        DENIED,
    ),
    ("copy over", "COPY self_extension_events (content, sequence) FROM PROGRAM 'echo'", DENIED),
    ("merge", "MERGE INTO self_extension_events e USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE", DENIED),
    (
        "append with an id",
        "INSERT INTO self_extension_appends (id, content, sequence) OVERRIDING SYSTEM VALUE VALUES (1, '{}', 1)",
        DENIED,
    ),
    (
        "append with a past date",
        "INSERT INTO self_extension_appends (created_at, content, sequence) VALUES ('1999-01-01', '{}', 1)",
        DENIED,
    ),
    ("append as another", "INSERT INTO self_extension_appends (written_by, content, sequence) VALUES ('x', '{}', 1)", DENIED),
    ("append with a hash", "INSERT INTO self_extension_appends (hash, content, sequence) VALUES ('', '{}', 1)", DENIED),
    (
        "append with another stream's hash",
        "INSERT INTO self_extension_appends (content, sequence, prev_hash)
         SELECT replace(content, event_id::text, gen_random_uuid()::text), sequence + 1,
            (SELECT hash FROM self_extension_events WHERE run_id = 'control' LIMIT 1)
         FROM self_extension_events WHERE run_id = 'run 1' ORDER BY id DESC LIMIT 1",
        "23514",
    ),
    (
        "append and update",
        "INSERT INTO self_extension_appends (content, sequence) VALUES ('{}', 1) ON CONFLICT (id) DO UPDATE SET content = '{}'",
        DENIED,
    ),
    ("update what was appended", "UPDATE self_extension_appends SET content = '{}'", DENIED),
    ("delete what was appended", "DELETE FROM self_extension_appends", DENIED),
    ("let appends be anything", "ALTER VIEW self_extension_appends RESET (check_option)", DENIED),
    ("replace what takes appends", "CREATE OR REPLACE VIEW self_extension_appends AS SELECT 1", DENIED),
    ("drop what takes appends", "DROP VIEW self_extension_appends", DENIED),
    (
        "come between",
        "CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER t INSTEAD OF INSERT ON self_extension_appends FOR EACH ROW EXECUTE FUNCTION pg_temp.f()",
        DENIED,
    ),
    ("replace a function", "CREATE OR REPLACE FUNCTION self_extension_history() RETURNS text LANGUAGE sql AS 'SELECT NULL'", DENIED),
    ("drop a function", "DROP FUNCTION self_extension_control_state(jsonb)", DENIED),
    ("unset a function's path", "ALTER FUNCTION self_extension_control_state(jsonb) RESET search_path", DENIED),
    ("call what writes without a look", "SELECT self_extension_write(gen_random_uuid(), 'x', '{}', 1)", DENIED),
    (
        "call what writes the control's stream",
        "SELECT self_extension_write_control(gen_random_uuid(), '{}')",
        DENIED,
    ),
    ("resume", "SELECT self_extension_resume(gen_random_uuid(), '{}', '{}', NULL, NULL, NULL)", DENIED),
    ("resume past the look", "SELECT self_extension_resume_unchecked(gen_random_uuid(), '{}', '{}', NULL, NULL, NULL)", DENIED),
    ("pause by a value that runs", "SELECT self_extension_pause(gen_random_uuid(), '{}', '{\"version\":1,\"paused\":false}')", "23514"),
    (
        "make a pause laxer",
        "SELECT self_extension_pause(gen_random_uuid(), '{}',
            '{\"version\":1,\"paused\":true,\"by\":\"x\",\"reason\":\"\",\"allow_rollbacks\":true}')",
        DENIED,
    ),
    (
        "accept a history by a pause",
        "SELECT self_extension_pause(gen_random_uuid(), '{}',
            '{\"version\":1,\"paused\":true,\"by\":\"x\",\"reason\":\"\",\"allow_rollbacks\":false,\"history\":\"mine\"}')",
        "23514",
    ),
    ("say what an operator says", "SELECT self_extension_append_as_operator(gen_random_uuid(), 'x', '{}', 1, NULL)", DENIED),
    ("write the control", "UPDATE agent_state SET value = '{}' WHERE key = 'self_extension:promotion_control'", GUARDED),
    ("rename the control", "UPDATE agent_state SET key = 'x' WHERE key = 'self_extension:promotion_control'", GUARDED),
    (
        "bring another control",
        "INSERT INTO agent_state (key, value) VALUES ('x', '{}');
         UPDATE agent_state SET key = 'self_extension:promotion_control' WHERE key = 'x'",
        GUARDED,
    ),
    ("delete the control", "DELETE FROM agent_state WHERE key = 'self_extension:promotion_control'", GUARDED),
    (
        "insert the control",
        "INSERT INTO agent_state (key, value) VALUES ('self_extension:promotion_control', '{}')
         ON CONFLICT (key) DO UPDATE SET value = '{}'",
        GUARDED,
    ),
    ("truncate the control", "TRUNCATE agent_state", DENIED),
    ("drop the control", "DROP TABLE agent_state", DENIED),
    ("drop the control's guard", "DROP TRIGGER self_extension_control_guarded_update ON agent_state", DENIED),
    ("write the open runs", "DELETE FROM self_extension_open_runs", DENIED),
    ("write the watched runs", "DELETE FROM self_extension_watched_runs", DENIED),
    ("bring a watched run", "INSERT INTO self_extension_watched_runs VALUES ('x', 'o/r', 'main', 1, 1, 'promoted', NULL)", DENIED),
    ("move the baseline", "UPDATE self_extension_baselines SET commit_sha = 'x'", DENIED),
    ("bring a heartbeat of the past", "INSERT INTO self_extension_heartbeats (repository, base, recorded_at, commit_sha, healthy, reporter, written_by) VALUES ('o/r', 'main', '1999-01-01', 'x', true, 'x', 'x')", DENIED),
    ("heal a heartbeat", "UPDATE self_extension_heartbeats SET healthy = true", DENIED),
    ("drop heartbeats", "DELETE FROM self_extension_heartbeats", DENIED),
    ("bring a lease", "INSERT INTO self_extension_leases VALUES ('x', 'x', 'infinity', 'x')", DENIED),
    ("end a lease", "UPDATE self_extension_leases SET expires_at = '-infinity'", DENIED),
    ("drop a lease", "DELETE FROM self_extension_leases", DENIED),
    ("bring a wait", "INSERT INTO self_extension_waits VALUES ('x', 'x', 'x', now(), 'infinity', 'x')", DENIED),
    ("end a wait", "UPDATE self_extension_waits SET until = '-infinity'", DENIED),
    ("drop a wait", "DELETE FROM self_extension_waits", DENIED),
    ("forget a migration", "DELETE FROM selfext_migrations", DENIED),
    ("make the roles anew", "SELECT self_extension_make_roles()", DENIED),
    ("seal", "SELECT self_extension_seal(NULL, 1, '1', 1, '', '')", DENIED),
    ("drop a seal", "DELETE FROM self_extension_checkpoints", DENIED),
    ("forget a repository", "DELETE FROM self_extension_repositories", DENIED),
    ("bring a repository", "INSERT INTO self_extension_repositories VALUES ('x', 'o/r', 1, 'x', now())", DENIED),
    // What a temporary table or function of the same name would catch is named with its schema everywhere.
    (
        "shadow the tables",
        "CREATE TEMP TABLE agent_state (key text, value jsonb, updated_at timestamptz);
         INSERT INTO agent_state VALUES ('self_extension:promotion_control', '{}', now());
         SELECT self_extension_resume(gen_random_uuid(), '{}', '{}', NULL, NULL, NULL)",
        DENIED,
    ),
];

#[tokio::test]
async fn whatever_an_agent_tries_is_refused_and_changes_nothing() {
    let fixture = PgFixture::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    let _ = story.begin_merging(&ledger).await;
    control.pause(&pause_request("deploy")).await.unwrap();
    let before = (fixture.rows().await, fixture.state(CONTROL_KEY).await);
    let agent = Login::of(&fixture, "selfext_agent").await;
    for (attack, sql, code) in ATTACKS {
        assert_eq!(agent.refused(sql).await.as_deref(), Some(*code), "{attack}");
        assert_eq!((fixture.rows().await, fixture.state(CONTROL_KEY).await), before, "{attack}");
    }
    assert_eq!(ledger.open_permits().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_agent_promotes_pauses_and_keeps_its_own_state() {
    let fixture = PgFixture::start().await;
    let agent = Login::of(&fixture, "selfext_agent").await;
    let store = agent.store().await;
    let (ledger, control) = (store.ledger(), store.control());
    let story = Story::new("run 1");
    let (granted, _permit_event) = story.begin_merging(&ledger).await;
    drop(granted);
    let events = ledger.stream_events(&story.run.clone().into()).await.unwrap();
    assert!(events.iter().all(|event| event.written_by == agent.name), "{events:?}");
    assert!(matches!(control.read().await, Ok(ControlState::Running)));

    let answer = control.pause(&pause_request("deploy")).await.unwrap();
    assert_eq!(answer.in_flight.len(), 1);
    let resumed = control.resume(&resume_request()).await;
    assert!(matches!(resumed, Err(ControlError::NotPermitted { .. })), "{resumed:?}");
    let laxer =
        control.pause(&selfext_domain::ports::PauseRequest { allow_rollbacks: true, ..pause_request("deploy") }).await;
    assert!(matches!(laxer, Err(ControlError::NotPermitted { .. })), "{laxer:?}");
    assert!(matches!(control.read().await, Ok(ControlState::Paused(pause)) if !pause.allow_rollbacks));

    for own in [
        "INSERT INTO agent_state (key, value) VALUES ('kill_switch', 'true')",
        "UPDATE agent_state SET value = 'false' WHERE key = 'kill_switch'",
        "DELETE FROM agent_state WHERE key = 'kill_switch'",
    ] {
        assert_eq!(agent.refused(own).await, None, "{own}");
    }
}

#[tokio::test]
async fn what_an_operator_says_is_taken_from_operators_alone() {
    let fixture = PgFixture::start().await;
    let agent = Login::of(&fixture, "selfext_agent").await.store().await;
    let operator = Login::of(&fixture, "selfext_operator").await;
    let story = Story::new("run 1");
    story.begin(&agent.ledger()).await;
    let abandoned = story.abandoned();
    for says in [&abandoned, &story.acknowledged()] {
        let refused = append(&agent.ledger(), says, 3).await;
        assert!(matches!(refused, Err(LedgerError::Refused { .. })), "{refused:?}");
    }
    // The same content by the agents' function.
    let by_hand = format!(
        "SELECT self_extension_append('{}', '{}', '{}', 3, (SELECT hash FROM self_extension_events WHERE sequence = 2))",
        abandoned.id,
        story.run,
        abandoned.to_content().unwrap()
    );
    let as_agent = Login::of(&fixture, "selfext_agent").await;
    assert_eq!(as_agent.refused(&by_hand).await.as_deref(), Some(DENIED));
    let store = operator.store().await;
    assert_eq!(append(&store.ledger(), &abandoned, 3).await.unwrap().written_by, operator.name);
    store.control().pause(&pause_request("deploy")).await.unwrap();
    store.control().resume(&resume_request()).await.unwrap();
    for (attack, sql, _) in ATTACKS.iter().filter(|(attack, ..)| {
        !["resume", "make a pause laxer", "say what an operator says", "become an operator", "shadow the tables"]
            .contains(attack)
    }) {
        assert!(operator.refused(sql).await.is_some(), "{attack}");
    }
}

/// SQL that appends an event of this content to a run, as an agent could by hand.
fn by_hand(story: &Story, content: &str) -> String {
    format!(
        "INSERT INTO self_extension_appends (content, sequence) VALUES
            ({content}, (SELECT max(sequence) + 1 FROM self_extension_events WHERE run_id = '{}'))",
        story.run
    )
}

#[tokio::test]
async fn what_an_agent_appends_by_hand_is_what_it_appends_through_the_port() {
    let fixture = PgFixture::start().await;
    let (ledger, control) = fixture.ports();
    let agent = Login::of(&fixture, "selfext_agent").await;
    control.pause(&pause_request("deploy")).await.unwrap();
    for event_type in EventBody::TYPES {
        let story = Story::new(&format!("run of {event_type}"));
        story.begin(&ledger).await;
        let content =
            || story.blocked().to_content().unwrap().replace("\"promotion_blocked\"", &format!("\"{event_type}\""));
        let others = ["proposed", "merge_started"].contains(event_type)
            || EventBody::Unknown(UnknownEvent {
                event_type: (*event_type).to_owned(),
                stage: String::new(),
                schema: 1,
                payload: serde_json::Value::Null,
            })
            .is_an_operators();
        let refused = agent.refused(&by_hand(&story, &format!("'{}'", content()))).await;
        assert_eq!(refused.as_deref(), others.then_some("44000"), "{event_type}");
        let of_control = content().replace(&format!("\"run_id\":\"{}\"", story.run), "\"run_id\":\"control\"");
        let sql = by_hand(&story, &format!("'{of_control}'")).replace(&format!("= '{}'", story.run), "= 'control'");
        assert_eq!(agent.refused(&sql).await.as_deref(), Some("44000"), "{event_type} of the control");
    }
}

#[tokio::test]
async fn a_content_that_changes_as_it_is_looked_at_is_looked_at_once() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let agent = Login::of(&fixture, "selfext_agent").await;
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let (first, later) = (story.blocked(), story.merge_started());
    let content = format!(
        "(CASE nextval('pg_temp.looks') WHEN 1 THEN '{}' ELSE '{}' END)",
        first.to_content().unwrap(),
        later.to_content().unwrap()
    );
    let sql = format!("CREATE TEMP SEQUENCE looks; {}", by_hand(&story, &content));
    assert_eq!(agent.refused(&sql).await, None);
    let events = ledger.stream_events(&story.run.clone().into()).await.unwrap();
    assert_eq!(events.last().map(|event| &event.event), Some(&first));
    assert_eq!(
        fixture.ask("SELECT event_type FROM self_extension_events ORDER BY id DESC LIMIT 1").await.unwrap().unwrap(),
        "promotion_blocked"
    );
}

#[tokio::test]
async fn a_merge_is_not_asked_for_under_another_name() {
    let fixture = PgFixture::start().await;
    let agent = Login::of(&fixture, "selfext_agent").await;
    let ledger = agent.store().await.ledger();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();
    // Another base than the event's, so that the look at what is in flight would miss.
    let call = format!(
        "SELECT self_extension_begin_merge('{}', '{}', '{}', 3,
            (SELECT hash FROM self_extension_events WHERE run_id = '{1}' AND sequence = 2), 'acme/agent', 'other', 1)",
        event.id,
        story.run,
        event.to_content().unwrap()
    );
    assert_eq!(agent.refused(&call).await.as_deref(), Some("23514"));
    let granted = begin_merge(&ledger, &event, 3).await.unwrap();
    assert!(matches!(granted, MergeGrant::Granted(..)), "{granted:?}");
}

#[tokio::test]
async fn an_agent_says_how_it_is_and_that_it_waits_and_takes_leases() {
    let fixture = PgFixture::start().await;
    for role in ["selfext_agent", "selfext_operator"] {
        let login = Login::of(&fixture, role).await;
        let store = login.store().await;
        let story = Story::new("run 1").into_base(role);
        let heartbeat = Heartbeat {
            repository: story.subject.repository.clone(),
            base: story.subject.base.clone(),
            commit: commit_of('a'),
            healthy: true,
            reporter: Reporter::parse("host 1").unwrap(),
            detail: None,
        };
        let (heartbeats, leases) = (store.heartbeats(), store.leases());
        let at = heartbeats.record(&heartbeat).await.unwrap();
        let samples = heartbeats.samples(&heartbeat.repository, &heartbeat.base, at).await.unwrap();
        assert_eq!(samples.len(), 1);
        heartbeats.forget(&heartbeat.repository, &heartbeat.base, Duration::MAX).await.unwrap();
        let lease = leases.acquire(role, "one", Duration::from_mins(1)).await.unwrap();
        assert!(matches!(lease, Lease::Held { .. }), "{lease:?}");
        let waits = store.waits();
        waits.begin(&story.run, role, "checks", Duration::from_mins(1)).await.unwrap();
        let written_by = "SELECT string_agg(w.written_by, ' ') FROM (
            SELECT written_by FROM self_extension_heartbeats WHERE base = 'ROLE'
            UNION ALL SELECT written_by FROM self_extension_leases WHERE name = 'ROLE'
            UNION ALL SELECT written_by FROM self_extension_waits WHERE holder = 'ROLE') w";
        let written_by = fixture.ask(&written_by.replace("ROLE", role)).await.unwrap().unwrap();
        assert_eq!(written_by, format!("{0} {0} {0}", login.name));
        leases.release(role, "one").await.unwrap();
        waits.end(&story.run, role).await.unwrap();
        // And reads how changes stand, which its own events move.
        let ledger = store.ledger();
        story.again(role).land(&ledger, true).await;
        let standing =
            ledger.health_standing(&heartbeat.repository, &heartbeat.base, Duration::from_mins(1)).await.unwrap();
        assert_eq!((standing.watched.len(), standing.baseline), (1, Some(commit_of('a'))));
    }
}

#[tokio::test]
async fn everything_is_the_owners_and_no_function_is_open_to_all() {
    let fixture = PgFixture::start().await;
    let mut connection = fixture.connection().await;
    let open = "SELECT p.proname::text FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\\_extension\\_%'
          AND has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1";
    let rows = sqlx::query(open).fetch_all(&mut connection).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        names,
        [
            "self_extension_control_state",
            "self_extension_history",
            "self_extension_rollback_of",
            "self_extension_same_merge"
        ]
    );
    let others = "SELECT c.relname::text FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relowner <> 'selfext_owner'::regrole";
    let rows = sqlx::query(others).fetch_all(&mut connection).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), Vec::<String>::new());
    let paths = "SELECT p.proname::text FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\\_extension\\_%'
          -- Each name and operator in these says where it is.
          AND p.proname NOT IN ('self_extension_events_derive', 'self_extension_history')
          AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))";
    assert!(sqlx::query(paths).fetch_all(&mut connection).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_role_that_may_make_no_roles_migrates_all_the_same() {
    let fixture = PgFixture::start().await;
    let name = format!("plain_{}", fresh_id().as_uuid().simple());
    fixture.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'for-tests'")).await.unwrap();
    let database = selfext_contracts::TestDatabase::empty().await;
    let mut by_hand = PgConnection::connect(database.url()).await.unwrap();
    let sql = format!("ALTER DATABASE \"{}\" OWNER TO {name}; ALTER SCHEMA public OWNER TO {name}", database.name());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut by_hand).await.unwrap();
    let mut url = Url::parse(database.url()).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("for-tests")).unwrap();
    let store = Store::open(&selfext_store::DatabaseUrl::parse(url.as_str()).unwrap()).await.unwrap();
    let missing = store.migrate().await.unwrap().roles_missing;
    // Where another database of the server has the roles, only the right to hand over is missing.
    assert!(missing.is_some_and(|missing| missing.contains("permission denied") || missing.contains("must")));
    let story = Story::new("run 1");
    story.begin(&store.ledger()).await;
    append(&store.ledger(), &story.abandoned(), 3).await.unwrap();
    store.control().pause(&pause_request("deploy")).await.unwrap();
    store.control().resume(&resume_request()).await.unwrap();
    drop(store);
    // And a superuser makes the roles later.
    let made = sqlx::query("SELECT public.self_extension_make_roles()").fetch_one(&mut by_hand).await.unwrap();
    assert_eq!(made.get::<Option<String>, _>(0), None);
    database.drop().await;
    fixture.sql(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await.unwrap();
}
