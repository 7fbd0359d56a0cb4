-- The ledger. The writer sends `content` and `sequence`, who it is, and the hashes, which SQLite cannot compute; what queries
-- read is derived from `content` here.
CREATE TABLE self_extension_events (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id       TEXT NOT NULL AS (content ->> '$.event_id') STORED,
    run_id         TEXT NOT NULL AS (content ->> '$.run_id') STORED,
    sequence       INTEGER NOT NULL,
    correlation_id TEXT NOT NULL AS (content ->> '$.correlation_id') STORED,
    stage          TEXT NOT NULL AS (content ->> '$.stage') STORED,
    event_type     TEXT NOT NULL AS (content ->> '$.event_type') STORED,
    actor_source   TEXT NOT NULL AS (content ->> '$.actor_source') STORED,
    tool_name      TEXT AS (content ->> '$.tool_name') STORED,
    tool_call_id   TEXT AS (content ->> '$.tool_call_id') STORED,
    goal_id        TEXT AS (content ->> '$.goal_id') STORED,
    cycle_id       TEXT AS (content ->> '$.cycle_id') STORED,
    sub_goal_id    TEXT AS (content ->> '$.sub_goal_id') STORED,
    repository     TEXT AS (content ->> '$.repository') STORED,
    base           TEXT AS (content ->> '$.base') STORED,
    fingerprint    TEXT AS (content ->> '$.fingerprint') STORED,
    pull_request   INTEGER AS (content ->> '$.pull_request') STORED,
    payload        TEXT NOT NULL AS (content -> '$.payload') VIRTUAL,    -- the bulk of it: not kept twice
    content        TEXT NOT NULL,
    written_by     TEXT NOT NULL,
    created_at     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    content_hash   BLOB NOT NULL,
    prev_hash      BLOB NOT NULL,
    hash           BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX self_extension_events_event_id_key ON self_extension_events (event_id);
CREATE UNIQUE INDEX self_extension_events_stream_key ON self_extension_events (run_id, sequence);

-- The latest run of a subject.
CREATE INDEX self_extension_events_subject
    ON self_extension_events (repository, base, fingerprint, id DESC) WHERE event_type = 'proposed';

-- The latest runs.
CREATE INDEX self_extension_events_proposed ON self_extension_events (id DESC) WHERE event_type = 'proposed';

-- Known keys are refused here because INSERT OR REPLACE would delete the row that has them without asking a trigger, unless
-- the connection has `recursive_triggers` on, which a stranger's has not.
CREATE TRIGGER self_extension_events_derive BEFORE INSERT ON self_extension_events
BEGIN
    SELECT RAISE(ABORT, 'self_extension_events_pkey: the id is taken')
    WHERE EXISTS (SELECT 1 FROM self_extension_events e WHERE e.id = NEW.id);
    SELECT RAISE(ABORT, 'self_extension_events_event_id_key: the event id is taken')
    WHERE EXISTS (SELECT 1 FROM self_extension_events e WHERE e.event_id = NEW.event_id);
    SELECT RAISE(ABORT, 'self_extension_events_stream_key: the number is taken in its stream')
    WHERE EXISTS (SELECT 1 FROM self_extension_events e WHERE e.run_id = NEW.run_id AND e.sequence = NEW.sequence);
    SELECT RAISE(ABORT, 'self_extension_events_no_gap: the number before is missing in the stream')
    WHERE NEW.sequence <> 1
      AND NOT EXISTS (SELECT 1 FROM self_extension_events e WHERE e.run_id = NEW.run_id AND e.sequence = NEW.sequence - 1);
    SELECT RAISE(ABORT, 'self_extension_events_linked: the event is not chained to the one before it')
    WHERE length(NEW.content_hash) <> 32 OR length(NEW.hash) <> 32
       OR NEW.prev_hash IS NOT coalesce(
           (SELECT e.hash FROM self_extension_events e WHERE e.run_id = NEW.run_id AND e.sequence = NEW.sequence - 1),
           zeroblob(32));
    -- `now` is one moment throughout a statement, and so the default's.
    SELECT RAISE(ABORT, 'self_extension_events_now: the time is the database''s to say')
    WHERE NEW.created_at IS NOT strftime('%Y-%m-%dT%H:%M:%fZ', 'now');
END;

CREATE TRIGGER self_extension_events_no_update BEFORE UPDATE ON self_extension_events
BEGIN
    SELECT RAISE(ABORT, 'self_extension_events_append_only: the ledger only grows: UPDATE is refused on self_extension_events');
END;

CREATE TRIGGER self_extension_events_no_delete BEFORE DELETE ON self_extension_events
BEGIN
    SELECT RAISE(ABORT, 'self_extension_events_append_only: the ledger only grows: DELETE is refused on self_extension_events');
END;
