-- What an agent keeps between its lives, a row a key. An agent may have this table already, so it is only made where it is
-- missing. selfext reads and writes the row of the promotion control alone; `kill_switch` and all others are the agent's.
CREATE TABLE IF NOT EXISTS public.agent_state (
    key        text PRIMARY KEY,
    value      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Hashes are over UTF-8, and the rules for operators' names are written in Unicode.
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database is in %, but selfext needs UTF8', current_setting('server_encoding');
    END IF;
END
$$;

-- The one time that this row is written by itself. Where it is missing later, somebody deleted it, and nothing may be
-- promoted until an operator has paused and resumed.
INSERT INTO public.agent_state (key, value, updated_at)
VALUES ('self_extension:promotion_control', '{"version": 1, "paused": false}', now())
ON CONFLICT (key) DO NOTHING;
