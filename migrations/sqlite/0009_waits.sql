-- Who waits in a promotion, for those who look. It is no ledger, nothing is decided by it, and it may be lost: what is over is no
-- wait any more, so that one of a process that was killed goes away by itself.
CREATE TABLE self_extension_waits (
    run_id     TEXT NOT NULL,
    holder     TEXT NOT NULL,               -- the process
    what       TEXT NOT NULL,
    since      TEXT NOT NULL,
    until      TEXT NOT NULL,
    written_by TEXT NOT NULL,
    PRIMARY KEY (run_id, holder)
) STRICT;
