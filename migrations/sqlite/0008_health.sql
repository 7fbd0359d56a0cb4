-- Health windows and rollbacks: which landed runs hold others back, the baselines, what agents say of their health, and who of
-- several watches.

-- The landed runs that hold others of their branch back: their window is open (`promoted`), they are sick
-- (`health_window_failed`), they are being taken back (`rollback_started`), or could not be and no operator knows
-- (`rollback_failed`). As self_extension_open_runs, this follows from the ledger and can be made anew from it at any time.
CREATE TABLE self_extension_watched_runs (
    run_id       TEXT PRIMARY KEY NOT NULL,
    repository   TEXT NOT NULL,
    base         TEXT NOT NULL,
    promoted     INTEGER NOT NULL,          -- the id of the run's `promoted` event
    event        INTEGER NOT NULL,          -- the id of the event that says how it stands
    event_type   TEXT NOT NULL,             -- and its type
    rollback_run TEXT                       -- the run that takes it back, or tried to
) STRICT;
CREATE INDEX self_extension_watched_runs_base ON self_extension_watched_runs (repository, base, promoted);

-- The last commit of each branch that is known to be healthy: that of the last window that passed. Before any did, the commit
-- that was verified under the first change that had to prove itself. It follows from the ledger, too.
CREATE TABLE self_extension_baselines (
    repository TEXT NOT NULL,
    base       TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    event      INTEGER NOT NULL,            -- the id of the event that set it
    PRIMARY KEY (repository, base)
) STRICT;

INSERT INTO self_extension_watched_runs
SELECT p.run_id, p.repository, p.base, p.id, l.id, l.event_type, l.content ->> '$.payload.rollback_run'
FROM self_extension_events p
JOIN self_extension_events l ON l.run_id = p.run_id AND l.sequence = (
    SELECT max(e.sequence) FROM self_extension_events e WHERE e.run_id = p.run_id)
WHERE p.event_type = 'promoted' AND p.repository IS NOT NULL AND p.base IS NOT NULL
  AND (l.event_type IN ('health_window_failed', 'rollback_started', 'rollback_failed')
       OR (l.event_type = 'promoted' AND l.content ->> '$.payload.health' IS NOT NULL))
ON CONFLICT DO NOTHING;

INSERT INTO self_extension_baselines
SELECT e.repository, e.base, e.content ->> '$.payload.commit', e.id
FROM self_extension_events e
WHERE e.event_type = 'health_window_passed' AND e.content ->> '$.payload.commit' IS NOT NULL
  AND e.repository IS NOT NULL AND e.base IS NOT NULL
ORDER BY e.id DESC
ON CONFLICT DO NOTHING;

INSERT INTO self_extension_baselines
SELECT p.repository, p.base, m.content ->> '$.payload.base_commit', p.id
FROM self_extension_events p
JOIN self_extension_events m ON m.run_id = p.run_id AND m.sequence = (
    SELECT max(e.sequence) FROM self_extension_events e
    WHERE e.run_id = p.run_id AND e.event_type = 'merge_started' AND e.sequence < p.sequence)
WHERE p.event_type = 'promoted' AND p.content ->> '$.payload.health' IS NOT NULL
  AND m.content ->> '$.payload.base_commit' IS NOT NULL AND p.repository IS NOT NULL AND p.base IS NOT NULL
ORDER BY p.id
ON CONFLICT DO NOTHING;

-- A run is freed only by what may free it as it stands.
CREATE TRIGGER self_extension_watched_runs_promoted AFTER INSERT ON self_extension_events
WHEN NEW.event_type = 'promoted' AND NEW.content ->> '$.payload.health' IS NOT NULL
 AND NEW.repository IS NOT NULL AND NEW.base IS NOT NULL
BEGIN
    INSERT INTO self_extension_watched_runs (run_id, repository, base, promoted, event, event_type)
    VALUES (NEW.run_id, NEW.repository, NEW.base, NEW.id, NEW.id, NEW.event_type)
    ON CONFLICT DO NOTHING;
    INSERT INTO self_extension_baselines
    SELECT NEW.repository, NEW.base, m.content ->> '$.payload.base_commit', NEW.id
    FROM self_extension_events m
    WHERE m.run_id = NEW.run_id AND m.content ->> '$.payload.base_commit' IS NOT NULL AND m.sequence = (
        SELECT max(e.sequence) FROM self_extension_events e
        WHERE e.run_id = NEW.run_id AND e.event_type = 'merge_started')
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER self_extension_watched_runs_passed AFTER INSERT ON self_extension_events
WHEN NEW.event_type = 'health_window_passed'
BEGIN
    DELETE FROM self_extension_watched_runs WHERE run_id = NEW.run_id AND event_type = 'promoted';
    INSERT INTO self_extension_baselines
    SELECT NEW.repository, NEW.base, NEW.content ->> '$.payload.commit', NEW.id
    WHERE NEW.repository IS NOT NULL AND NEW.base IS NOT NULL AND NEW.content ->> '$.payload.commit' IS NOT NULL
    ON CONFLICT (repository, base) DO UPDATE SET commit_sha = excluded.commit_sha, event = excluded.event;
END;

-- Also a run that has no row: one that is healthy, or had no window, can be taken back.
CREATE TRIGGER self_extension_watched_runs_goes_on AFTER INSERT ON self_extension_events
WHEN NEW.event_type IN ('health_window_failed', 'rollback_started', 'rollback_failed')
BEGIN
    INSERT INTO self_extension_watched_runs
    SELECT NEW.run_id, p.repository, p.base, p.id, NEW.id, NEW.event_type, NEW.content ->> '$.payload.rollback_run'
    FROM self_extension_events p
    WHERE p.run_id = NEW.run_id AND p.event_type = 'promoted' AND p.repository IS NOT NULL AND p.base IS NOT NULL
    ORDER BY p.sequence LIMIT 1
    ON CONFLICT (run_id) DO UPDATE
    SET event = excluded.event, event_type = excluded.event_type, rollback_run = excluded.rollback_run;
END;

CREATE TRIGGER self_extension_watched_runs_over AFTER INSERT ON self_extension_events
WHEN NEW.event_type IN ('rolled_back', 'rollback_acknowledged')
BEGIN
    DELETE FROM self_extension_watched_runs
    WHERE run_id = NEW.run_id
      AND event_type = iif(NEW.event_type = 'rolled_back', 'rollback_started', 'rollback_failed');
END;

-- What agents, and those who look at them, say of their health. It is no ledger: what is judged of it is there.
CREATE TABLE self_extension_heartbeats (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    repository  TEXT NOT NULL,
    base        TEXT NOT NULL,
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    commit_sha  TEXT NOT NULL,              -- what runs
    healthy     INTEGER NOT NULL,
    reporter    TEXT NOT NULL,
    detail      TEXT,
    written_by  TEXT NOT NULL
) STRICT;
CREATE INDEX self_extension_heartbeats_base ON self_extension_heartbeats (repository, base, recorded_at);

-- Who of several acts.
CREATE TABLE self_extension_leases (
    name       TEXT PRIMARY KEY NOT NULL,
    holder     TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    written_by TEXT NOT NULL
) STRICT;
