-- Which repository a name led to when it was first used, by the number that it keeps when it is renamed: another one that comes to
-- have the name is found out. See the port `Repositories`.
CREATE TABLE self_extension_repositories (
    forge      TEXT NOT NULL,               -- where its API is
    name       TEXT NOT NULL,               -- in small letters: GitHub does not tell the others apart
    number     INTEGER NOT NULL,
    written_by TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (forge, name)
) STRICT;

CREATE TRIGGER self_extension_repositories_no_replace BEFORE INSERT ON self_extension_repositories
WHEN EXISTS (SELECT 1 FROM self_extension_repositories r WHERE r.forge = NEW.forge AND r.name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'self_extension_repositories_append_only: a second one is refused on self_extension_repositories');
END;

CREATE TRIGGER self_extension_repositories_no_update BEFORE UPDATE ON self_extension_repositories
BEGIN
    SELECT RAISE(ABORT, 'self_extension_repositories_append_only: UPDATE is refused on self_extension_repositories');
END;

CREATE TRIGGER self_extension_repositories_no_delete BEFORE DELETE ON self_extension_repositories
BEGIN
    SELECT RAISE(ABORT, 'self_extension_repositories_append_only: DELETE is refused on self_extension_repositories');
END;
