-- An append is one INSERT, without a function around it, which cost almost a fifth of the rate with sixteen writers. What is derived and
-- refused stays what it was.

-- As 0016 derives. A client that sends the hash of the event before says what it thinks that this is, and is refused if it is not.
CREATE OR REPLACE FUNCTION public.self_extension_events_derive() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    c CONSTANT pg_catalog.jsonb := NEW.content::pg_catalog.jsonb;
    sent CONSTANT pg_catalog.bytea := NEW.prev_hash;
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
    IF sent OPERATOR(pg_catalog.<>) NEW.prev_hash THEN
        RAISE EXCEPTION 'before event % of the stream % stands another one than was thought', NEW.sequence, NEW.run_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'self_extension_events_linked',
                  SCHEMA = 'public', TABLE = 'self_extension_events';
    END IF;
    NEW.hash := pg_catalog.sha256(NEW.prev_hash OPERATOR(pg_catalog.||) NEW.content_hash);

    -- What is answered as recorded has to survive a crash of the database.
    IF pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' THEN
        PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN NEW;
END
$$;

-- `Ledger::append` and `Ledger::append_all` where the stream ends as its writer thinks. What an agent inserts here is an event's content,
-- its number and the hash before it; all else the trigger sets, and what belongs to the control, begins a run or a merge, or is an
-- operator's to say is refused once it is derived. `self_extension_append` and `self_extension_append_all` say why an event was
-- refused, or find what was recorded before. The operators' types are those of `self_extension_operators_types`, written out: whoever
-- inserts may call no such function, and a plan that is kept follows a view that changes.
CREATE VIEW public.self_extension_appends AS
SELECT content, sequence, prev_hash, id, transaction_id, written_by, created_at, hash
FROM public.self_extension_events
WHERE run_id <> 'control'
  AND event_type NOT IN ('proposed', 'merge_started', 'change_allowed', 'run_abandoned', 'health_window_passed', 'rolled_back',
                         'rollback_acknowledged')
WITH CHECK OPTION;

DROP FUNCTION public.self_extension_append_next(uuid, text, text, bigint, bytea);
DROP FUNCTION public.self_extension_append_all_next(uuid[], text, text[], bigint, bytea);
DROP FUNCTION public.self_extension_others_types();

CREATE OR REPLACE FUNCTION public.self_extension_functions_of(p_who text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_who
        WHEN 'agent' THEN ARRAY['self_extension_append', 'self_extension_append_all', 'self_extension_propose',
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

-- As 0009 makes them, with the view.
CREATE OR REPLACE FUNCTION public.self_extension_make_roles() RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role text;
    object record;
    problem text;
BEGIN
    -- One at a time: two that grant at once fail.
    PERFORM pg_advisory_xact_lock(7365660403);
    PERFORM public.self_extension_close_functions();
    FOREACH role IN ARRAY ARRAY['selfext_owner', 'selfext_operator', 'selfext_agent'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION
                -- Roles are the cluster's: another of its databases was faster.
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
    IF NOT pg_has_role(current_user, 'selfext_owner', 'MEMBER') THEN
        EXECUTE format('GRANT selfext_owner TO %I', current_user);
    END IF;
    GRANT CREATE, USAGE ON SCHEMA public TO selfext_owner;
    GRANT USAGE ON SCHEMA public TO selfext_operator, selfext_agent;

    FOR object IN
        SELECT c.oid::regclass AS name, c.relowner
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND (c.relname IN ('agent_state', 'selfext_migrations') OR c.relname LIKE 'self\_extension\_%')
          AND c.relowner <> 'selfext_owner'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO selfext_owner', object.name);
        -- An agent that made the table itself keeps its use of it.
        IF object.name = 'public.agent_state'::regclass AND object.relowner <> current_user::regrole THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', object.name, object.relowner::regrole);
        END IF;
    END LOOP;
    ALTER TYPE public.self_extension_answer OWNER TO selfext_owner;
    FOR object IN
        SELECT p.oid::regprocedure AS name
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\_extension\_%'
          AND p.proowner <> 'selfext_owner'::regrole
          -- These are what a superuser or the migrating role runs, with its own rights.
          AND p.proname NOT IN ('self_extension_make_roles', 'self_extension_close_functions', 'self_extension_functions_of')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO selfext_owner', object.name);
    END LOOP;

    FOR object IN
        SELECT c.oid::regclass AS name
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND (c.relname IN ('agent_state', 'selfext_migrations') OR c.relname LIKE 'self\_extension\_%')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO selfext_operator, selfext_agent', object.name);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE ON public.agent_state TO selfext_agent;
    GRANT INSERT (content, sequence, prev_hash) ON public.self_extension_appends TO selfext_operator, selfext_agent;
    FOR object IN
        SELECT p.oid::regprocedure AS name, p.proname
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    LOOP
        IF object.proname = ANY (public.self_extension_functions_of('agent')) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO selfext_operator, selfext_agent', object.name);
        ELSIF object.proname = ANY (public.self_extension_functions_of('operator')) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO selfext_operator', object.name);
        END IF;
    END LOOP;
    RETURN NULL;
EXCEPTION
    WHEN insufficient_privilege THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        PERFORM public.self_extension_close_functions();
        RETURN problem;
END
$$;

SELECT public.self_extension_make_roles();
