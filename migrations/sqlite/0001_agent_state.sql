-- What an agent keeps between its lives, a row a key. An agent may have this table already, so it is only made where it is
-- missing. selfext reads and writes the row of the promotion control alone; `kill_switch` and all others are the agent's.
CREATE TABLE IF NOT EXISTS agent_state (
    key        TEXT PRIMARY KEY NOT NULL,
    value      TEXT NOT NULL,               -- JSON
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- The one time that this row is written by itself. Where it is missing later, somebody deleted it, and nothing may be
-- promoted until an operator has paused and resumed.
INSERT INTO agent_state (key, value, updated_at)
VALUES ('self_extension:promotion_control', '{"paused":false,"version":1}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
ON CONFLICT (key) DO NOTHING;
