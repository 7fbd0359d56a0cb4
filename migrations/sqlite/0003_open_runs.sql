-- The runs that are open, and their open merge permits: what the ledger says, kept at hand, so that asking for it reads as
-- many rows as there are open runs, however long the ledger is. The ledger stays the only truth: this table is written by
-- the triggers below alone, in the transaction of the event, and can be made anew from the events at any time.
CREATE TABLE self_extension_open_runs (
    run_id       TEXT PRIMARY KEY NOT NULL,
    proposed     INTEGER NOT NULL,          -- the id of the run's `proposed` event
    repository   TEXT,
    base         TEXT,
    pull_request INTEGER,                   -- of the open permit
    permit       INTEGER                    -- the id of the `merge_started` event whose merge may still happen
) STRICT;

-- One merge at a time into a branch, and of a pull request; these hold whoever inserts.
CREATE UNIQUE INDEX self_extension_open_permits_base
    ON self_extension_open_runs (repository, base) WHERE permit IS NOT NULL;
CREATE UNIQUE INDEX self_extension_open_permits_pull_request
    ON self_extension_open_runs (repository, pull_request) WHERE permit IS NOT NULL;

-- An event of a type that is not known here leaves a run and its permit as they are: an open permit is closed only by what
-- is known to close it.
CREATE TRIGGER self_extension_open_runs_proposed AFTER INSERT ON self_extension_events
WHEN NEW.event_type = 'proposed'
BEGIN
    INSERT INTO self_extension_open_runs (run_id, proposed, repository, base)
    VALUES (NEW.run_id, NEW.id, NEW.repository, NEW.base);
END;

CREATE TRIGGER self_extension_open_runs_merge_started AFTER INSERT ON self_extension_events
WHEN NEW.event_type = 'merge_started'
BEGIN
    SELECT RAISE(ABORT, 'self_extension_events_merge_of_open_run: the run is not open, so no merge of it may begin')
    WHERE NOT EXISTS (SELECT 1 FROM self_extension_open_runs o WHERE o.run_id = NEW.run_id);
    UPDATE self_extension_open_runs SET permit = NEW.id, pull_request = NEW.pull_request WHERE run_id = NEW.run_id;
END;

CREATE TRIGGER self_extension_open_runs_blocked AFTER INSERT ON self_extension_events
WHEN NEW.event_type = 'promotion_blocked'
BEGIN
    UPDATE self_extension_open_runs SET permit = NULL, pull_request = NULL
    WHERE run_id = NEW.run_id AND permit IS NOT NULL;
END;

CREATE TRIGGER self_extension_open_runs_over AFTER INSERT ON self_extension_events
WHEN NEW.event_type IN ('promoted', 'failed', 'run_abandoned')
BEGIN
    DELETE FROM self_extension_open_runs WHERE run_id = NEW.run_id;
END;
