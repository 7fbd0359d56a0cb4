-- The checkpoints that seal the ledger: signed roots of a Merkle tree over its events.
CREATE TABLE self_extension_checkpoints (
    size       INTEGER PRIMARY KEY,         -- the events that it seals
    id         INTEGER NOT NULL,            -- the position of the last of them
    frontier   TEXT NOT NULL,               -- what is needed to go on from there without reading them again
    note       TEXT NOT NULL,               -- the signed note
    written_by TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE TRIGGER self_extension_checkpoints_follow BEFORE INSERT ON self_extension_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'self_extension_checkpoints_follow: the checkpoint does not follow the last one')
    WHERE NEW.size <= (SELECT coalesce(max(c.size), 0) FROM self_extension_checkpoints c)
       OR NEW.id <= (SELECT coalesce(max(c.id), 0) FROM self_extension_checkpoints c)
       OR NOT EXISTS (SELECT 1 FROM self_extension_events e WHERE e.id = NEW.id);
END;

CREATE TRIGGER self_extension_checkpoints_no_update BEFORE UPDATE ON self_extension_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'self_extension_checkpoints_append_only: UPDATE is refused on self_extension_checkpoints');
END;

CREATE TRIGGER self_extension_checkpoints_no_delete BEFORE DELETE ON self_extension_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'self_extension_checkpoints_append_only: DELETE is refused on self_extension_checkpoints');
END;
