-- Appends cost the server less, and an append that finds what it expects answers only what the database adds to the event. What is
-- derived and refused stays what it was.

-- As 0002 derives. It is called for every event, and a search path of its own would be set and taken back each time: it has none,
-- and every name and operator in it says where it is.
CREATE OR REPLACE FUNCTION public.self_extension_events_derive() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    c CONSTANT pg_catalog.jsonb := NEW.content::pg_catalog.jsonb;
BEGIN
    NEW.event_id := (c OPERATOR(pg_catalog.->>) 'event_id')::pg_catalog.uuid;
    NEW.run_id := c OPERATOR(pg_catalog.->>) 'run_id';
    NEW.correlation_id := c OPERATOR(pg_catalog.->>) 'correlation_id';
    NEW.stage := c OPERATOR(pg_catalog.->>) 'stage';
    NEW.event_type := c OPERATOR(pg_catalog.->>) 'event_type';
    NEW.actor_source := c OPERATOR(pg_catalog.->>) 'actor_source';
    NEW.tool_name := c OPERATOR(pg_catalog.->>) 'tool_name';
    NEW.tool_call_id := c OPERATOR(pg_catalog.->>) 'tool_call_id';
    NEW.goal_id := c OPERATOR(pg_catalog.->>) 'goal_id';
    NEW.cycle_id := c OPERATOR(pg_catalog.->>) 'cycle_id';
    NEW.sub_goal_id := c OPERATOR(pg_catalog.->>) 'sub_goal_id';
    NEW.repository := c OPERATOR(pg_catalog.->>) 'repository';
    NEW.base := c OPERATOR(pg_catalog.->>) 'base';
    NEW.fingerprint := c OPERATOR(pg_catalog.->>) 'fingerprint';
    NEW.pull_request := (c OPERATOR(pg_catalog.->>) 'pull_request')::pg_catalog.int8;
    NEW.payload := c OPERATOR(pg_catalog.->) 'payload';

    NEW.transaction_id := pg_catalog.pg_current_xact_id();
    NEW.written_by := session_user;
    NEW.created_at := pg_catalog.clock_timestamp();

    NEW.content_hash := pg_catalog.sha256(pg_catalog.convert_to(NEW.content, 'UTF8'));
    IF NEW.sequence OPERATOR(pg_catalog.=) 1 THEN
        NEW.prev_hash := '\x0000000000000000000000000000000000000000000000000000000000000000';
    ELSE
        SELECT before.hash INTO NEW.prev_hash
        FROM public.self_extension_events before
        WHERE before.run_id OPERATOR(pg_catalog.=) NEW.run_id
          AND before.sequence OPERATOR(pg_catalog.=) (NEW.sequence OPERATOR(pg_catalog.-) 1);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'event % of the stream % has none before it', NEW.sequence, NEW.run_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'self_extension_events_no_gap',
                      SCHEMA = 'public', TABLE = 'self_extension_events';
        END IF;
    END IF;
    NEW.hash := pg_catalog.sha256(NEW.prev_hash OPERATOR(pg_catalog.||) NEW.content_hash);

    -- What is answered as recorded has to survive a crash of the database.
    IF pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' THEN
        PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN NEW;
END
$$;

-- One trigger keeps what follows from the ledger at hand: the open runs, as 0003 says, and the watched ones with the baselines, as 0014
-- says. The condition is short because it is read anew with every statement, at the cost of its length; `tested` is the most
-- frequent type and concerns none of these lists.
DROP TRIGGER self_extension_open_runs_follow ON public.self_extension_events;
DROP TRIGGER self_extension_watched_runs_follow ON public.self_extension_events;
DROP FUNCTION public.self_extension_open_runs_follow();
DROP FUNCTION public.self_extension_watched_runs_follow();
CREATE FUNCTION public.self_extension_events_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- An event of a type that is not known here leaves a run and its permit as they are: an open permit is closed only by what is
    -- known to close it.
    CASE NEW.event_type
    WHEN 'proposed' THEN
        INSERT INTO public.self_extension_open_runs (run_id, proposed, repository, base)
        VALUES (NEW.run_id, NEW.id, NEW.repository, NEW.base);
    WHEN 'merge_started' THEN
        UPDATE public.self_extension_open_runs
        SET permit = NEW.id, pull_request = NEW.pull_request
        WHERE run_id = NEW.run_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the run % is not open, so no merge of it may begin', NEW.run_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'self_extension_events_merge_of_open_run',
                      SCHEMA = 'public', TABLE = 'self_extension_events';
        END IF;
    WHEN 'promotion_blocked' THEN
        UPDATE public.self_extension_open_runs
        SET permit = NULL, pull_request = NULL
        WHERE run_id = NEW.run_id AND permit IS NOT NULL;
    WHEN 'promoted', 'failed', 'run_abandoned' THEN
        DELETE FROM public.self_extension_open_runs WHERE run_id = NEW.run_id;
    ELSE
        NULL;
    END CASE;

    -- A run is freed only by what may free it as it stands.
    IF NEW.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                          'rollback_failed', 'rollback_acknowledged')
       OR (NEW.event_type = 'promoted' AND NEW.payload ->> 'health' IS NOT NULL) THEN
        CASE NEW.event_type
        WHEN 'health_window_passed' THEN
            DELETE FROM public.self_extension_watched_runs w WHERE w.run_id = NEW.run_id AND w.event_type = 'promoted';
            INSERT INTO public.self_extension_baselines AS b
            SELECT NEW.repository, NEW.base, NEW.payload ->> 'commit', NEW.id
            WHERE NEW.repository IS NOT NULL AND NEW.base IS NOT NULL AND NEW.payload ->> 'commit' IS NOT NULL
            ON CONFLICT (repository, base) DO UPDATE SET commit_sha = excluded.commit_sha, event = excluded.event
            WHERE b.event < excluded.event;
        WHEN 'rolled_back' THEN
            DELETE FROM public.self_extension_watched_runs w WHERE w.run_id = NEW.run_id AND w.event_type = 'rollback_started';
        WHEN 'rollback_acknowledged' THEN
            DELETE FROM public.self_extension_watched_runs w WHERE w.run_id = NEW.run_id AND w.event_type = 'rollback_failed';
        ELSE
            -- Also a run that has no row: one that is healthy, or had no window, can be taken back.
            INSERT INTO public.self_extension_watched_runs
            SELECT NEW.run_id, p.repository, p.base, p.id, NEW.id, NEW.event_type, NEW.payload ->> 'rollback_run'
            FROM public.self_extension_events p
            WHERE p.run_id = NEW.run_id AND p.event_type = 'promoted' AND p.repository IS NOT NULL AND p.base IS NOT NULL
            ORDER BY p.sequence LIMIT 1
            ON CONFLICT (run_id) DO UPDATE
            SET event = excluded.event, event_type = excluded.event_type, rollback_run = excluded.rollback_run
            WHERE excluded.event_type <> 'promoted';
            IF NEW.event_type = 'promoted' THEN
                INSERT INTO public.self_extension_baselines
                SELECT NEW.repository, NEW.base, m.payload ->> 'base_commit', NEW.id
                FROM (
                    SELECT e.payload FROM public.self_extension_events e
                    WHERE e.run_id = NEW.run_id AND e.event_type = 'merge_started' ORDER BY e.sequence DESC LIMIT 1
                ) m
                WHERE NEW.repository IS NOT NULL AND NEW.base IS NOT NULL AND m.payload ->> 'base_commit' IS NOT NULL
                ON CONFLICT (repository, base) DO NOTHING;
            END IF;
        END CASE;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER self_extension_events_follow
    AFTER INSERT ON public.self_extension_events
    FOR EACH ROW WHEN (NEW.event_type <> 'tested')
    EXECUTE FUNCTION public.self_extension_events_follow();
ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_events_follow;

-- `Ledger::append` where the stream ends as its writer thinks: one statement writes, and what it wrote is compared with what was to
-- be written. Wherever it is not, nothing is written and the error names a constraint; `self_extension_append` says why, or finds
-- what was recorded before.
CREATE FUNCTION public.self_extension_append_next(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea,
    OUT id bigint, OUT transaction_id xid8, OUT written_by text, OUT created_at timestamptz, OUT hash bytea
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written_id uuid;
    written_run text;
    written_type text;
    written_behind bytea;
BEGIN
    INSERT INTO public.self_extension_events AS e (content, sequence) VALUES (p_content, p_sequence)
    RETURNING e.id, e.transaction_id, e.written_by, e.created_at, e.hash, e.event_id, e.run_id, e.event_type, e.prev_hash
    INTO id, transaction_id, written_by, created_at, hash, written_id, written_run, written_type, written_behind;
    IF written_behind = p_prev_hash AND written_id = p_event_id AND written_run = p_run_id AND written_run <> 'control'
       AND written_type <> ALL (public.self_extension_others_types()) THEN
        RETURN;
    END IF;
    IF (written_behind = p_prev_hash) IS NOT TRUE THEN
        RAISE EXCEPTION 'the stream ends otherwise' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'self_extension_events_linked', SCHEMA = 'public', TABLE = 'self_extension_events';
    END IF;
    IF written_type = ANY (public.self_extension_operators_types()) THEN
        RAISE EXCEPTION '% is an operator''s to say', written_type USING ERRCODE = 'insufficient_privilege';
    END IF;
    RAISE EXCEPTION 'the content belongs to another event or stream, or is not written by append'
        USING ERRCODE = 'check_violation';
END
$$;

-- What an agent does not append: what begins a run or a merge, and what operators say.
CREATE FUNCTION public.self_extension_others_types() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.self_extension_operators_types() || ARRAY['merge_started', 'proposed']
$$;

-- `Ledger::append_all` in the same way: a row an event, in their order.
CREATE FUNCTION public.self_extension_append_all_next(
    p_event_ids uuid[], p_run_id text, p_contents text[], p_sequence bigint, p_prev_hash bytea
) RETURNS TABLE (id bigint, transaction_id xid8, written_by text, created_at timestamptz, hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written bigint;
BEGIN
    -- No stream is so long that its numbers come to an end.
    IF p_sequence < 9000000000000000000 THEN
        RETURN QUERY
        WITH written AS (
            INSERT INTO public.self_extension_events AS e (content, sequence)
            SELECT given.content, p_sequence + given.number - 1
            FROM unnest(p_contents) WITH ORDINALITY AS given (content, number) ORDER BY given.number
            RETURNING e.id, e.transaction_id, e.written_by, e.created_at, e.hash,
                      e.event_id, e.run_id, e.event_type, e.prev_hash, e.sequence
        )
        SELECT w.id, w.transaction_id, w.written_by, w.created_at, w.hash
        FROM written w
        WHERE w.event_id = p_event_ids[w.sequence - p_sequence + 1] AND w.run_id = p_run_id AND w.run_id <> 'control'
          AND w.event_type <> ALL (public.self_extension_others_types())
          AND (w.sequence <> p_sequence OR w.prev_hash = p_prev_hash);
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written = cardinality(p_event_ids) AND written = cardinality(p_contents) THEN
            RETURN;
        END IF;
    END IF;
    -- `self_extension_append_all` says why.
    RAISE EXCEPTION 'the stream ends otherwise, or a content is not an agent''s to append' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'self_extension_events_linked', SCHEMA = 'public', TABLE = 'self_extension_events';
END
$$;

-- The right to each function, and to nothing beside them.
CREATE OR REPLACE FUNCTION public.self_extension_close_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS name, p.proname, p.prorettype = 'trigger'::regtype AS is_trigger
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\_extension\_%'
    LOOP
        IF f.proname = 'self_extension_events_derive' THEN
            EXECUTE format('ALTER FUNCTION %s RESET search_path', f.name);
        ELSE
            EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', f.name);
        END IF;
        IF f.proname <> ALL (public.self_extension_functions_of('everybody')) THEN
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.name);
        END IF;
        IF f.proname = ANY (public.self_extension_functions_of('agent'))
           OR f.proname = ANY (public.self_extension_functions_of('operator')) THEN
            EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', f.name);
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION public.self_extension_functions_of(p_who text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_who
        WHEN 'agent' THEN ARRAY['self_extension_append', 'self_extension_append_next', 'self_extension_append_all',
                                'self_extension_append_all_next', 'self_extension_propose',
                                'self_extension_begin_merge', 'self_extension_pause', 'self_extension_remember_repository',
                                'self_extension_record_heartbeat', 'self_extension_forget_heartbeats',
                                'self_extension_acquire_lease', 'self_extension_release_lease',
                                'self_extension_begin_wait', 'self_extension_end_wait']
        WHEN 'operator' THEN ARRAY['self_extension_append_as_operator', 'self_extension_pause_as_operator',
                                   'self_extension_resume', 'self_extension_seal']
        -- What reads alone: it says nothing that a table would not, to those who may read that.
        WHEN 'everybody' THEN ARRAY['self_extension_history', 'self_extension_control_state', 'self_extension_same_merge',
                                    'self_extension_rollback_of']
    END
$$;

-- For the new functions.
SELECT public.self_extension_make_roles();
