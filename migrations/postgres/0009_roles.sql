-- Who may do what. Everything is owned by `selfext_owner`, as whom nobody logs in. Agents and operators are logins that are
-- members of `selfext_agent` or `selfext_operator`: they read, and write through the functions below alone, which run with
-- their owner's rights. What only an operator may say has functions of its own.

-- The promotion control's row is written through the functions alone, whatever rights an agent has on its other keys.
CREATE FUNCTION public.self_extension_control_guarded() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Inside of the functions it is the owner who writes.
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'the promotion control is changed by selfext''s functions: % by hand is refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'self_extension_control_guarded',
                  SCHEMA = 'public', TABLE = 'agent_state';
    END IF;
    IF TG_LEVEL = 'STATEMENT' THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER self_extension_control_guarded_insert BEFORE INSERT ON public.agent_state
    FOR EACH ROW WHEN (NEW.key = 'self_extension:promotion_control')
    EXECUTE FUNCTION public.self_extension_control_guarded();
CREATE TRIGGER self_extension_control_guarded_update BEFORE UPDATE ON public.agent_state
    FOR EACH ROW WHEN ('self_extension:promotion_control' IN (OLD.key, NEW.key))
    EXECUTE FUNCTION public.self_extension_control_guarded();
CREATE TRIGGER self_extension_control_guarded_delete BEFORE DELETE ON public.agent_state
    FOR EACH ROW WHEN (OLD.key = 'self_extension:promotion_control')
    EXECUTE FUNCTION public.self_extension_control_guarded();
CREATE TRIGGER self_extension_control_guarded_truncate BEFORE TRUNCATE ON public.agent_state
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_control_guarded();
ALTER TABLE public.agent_state ENABLE ALWAYS TRIGGER self_extension_control_guarded_insert;
ALTER TABLE public.agent_state ENABLE ALWAYS TRIGGER self_extension_control_guarded_update;
ALTER TABLE public.agent_state ENABLE ALWAYS TRIGGER self_extension_control_guarded_delete;
ALTER TABLE public.agent_state ENABLE ALWAYS TRIGGER self_extension_control_guarded_truncate;

-- What only an operator may say: the domain's `EventBody::is_an_operators`. A call without arguments is computed when a statement
-- is planned, and not with each event.
CREATE FUNCTION public.self_extension_operators_types() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY['change_allowed', 'run_abandoned', 'rollback_acknowledged']
$$;

-- `Ledger::append`. What begins a run or a merge, and what belongs to the control or to operators, has functions of its own. Where
-- the stream ends as the writer thinks, one statement looks and writes; only where it does not, more are needed to say why.
CREATE OR REPLACE FUNCTION public.self_extension_append(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    stored public.self_extension_events;
BEGIN
    IF p_prev_hash IS NOT NULL THEN
        INSERT INTO public.self_extension_events (content, sequence)
        SELECT p_content, p_sequence
        WHERE EXISTS (SELECT FROM public.self_extension_events before
                      WHERE before.run_id = p_run_id AND before.sequence = p_sequence - 1 AND before.hash = p_prev_hash)
        ON CONFLICT DO NOTHING RETURNING * INTO stored;
        IF FOUND THEN
            IF stored.event_id <> p_event_id OR stored.run_id <> p_run_id THEN
                RAISE EXCEPTION 'the content belongs to another event or stream' USING ERRCODE = 'check_violation';
            END IF;
            answer.outcome := 'recorded';
        END IF;
    END IF;

    IF answer.outcome IS NULL THEN
        SELECT e.* INTO stored FROM public.self_extension_events e WHERE e.event_id = p_event_id;
        IF NOT FOUND THEN
            -- The first event of a stream, a writer that does not say what it knows, and all who are to be refused.
            answer := public.self_extension_write(p_event_id, p_run_id, p_content, p_sequence, p_prev_hash);
            IF answer.outcome <> 'recorded' THEN
                RETURN answer;
            END IF;
            stored := answer.event;
        ELSE
            answer.outcome := CASE WHEN stored.content = p_content THEN 'recorded' ELSE 'id-reused' END;
            answer.event := stored;
            RETURN answer;
        END IF;
    END IF;

    IF stored.run_id = 'control' OR stored.event_type IN ('merge_started', 'proposed') THEN
        RAISE EXCEPTION 'the control stream, proposed and merge_started are not written by append'
            USING ERRCODE = 'check_violation';
    END IF;
    IF stored.event_type = ANY (public.self_extension_operators_types()) THEN
        RAISE EXCEPTION '% is an operator''s to say', stored.event_type USING ERRCODE = 'insufficient_privilege';
    END IF;
    answer.event := stored;
    RETURN answer;
END
$$;

-- `Ledger::append` for what only an operator may say.
CREATE FUNCTION public.self_extension_append_as_operator(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea
) RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer public.self_extension_answer;
    stored public.self_extension_events;
BEGIN
    SELECT e.* INTO stored FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF FOUND THEN
        answer.outcome := CASE WHEN stored.content = p_content THEN 'recorded' ELSE 'id-reused' END;
        answer.event := stored;
        RETURN answer;
    END IF;
    answer := public.self_extension_write(p_event_id, p_run_id, p_content, p_sequence, p_prev_hash);
    IF answer.outcome = 'recorded'
       AND ((answer.event).run_id = 'control'
            OR (answer.event).event_type <> ALL (public.self_extension_operators_types())) THEN
        RAISE EXCEPTION 'the event is none of an operator''s' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- The functions that stood here until now look before they write. Each gets a wrapper of its name that sees that what it looked
-- at is what it wrote; only the wrappers are called by agents and operators.

-- `Ledger::propose`.
ALTER FUNCTION public.self_extension_propose(uuid, text, text, text, text, text, text)
    RENAME TO self_extension_propose_unchecked;
CREATE FUNCTION public.self_extension_propose(
    p_event_id uuid, p_run_id text, p_content text, p_repository text, p_base text, p_fingerprint text, p_after text
) RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer public.self_extension_answer;
BEGIN
    answer := public.self_extension_propose_unchecked(
        p_event_id, p_run_id, p_content, p_repository, p_base, p_fingerprint, p_after);
    IF answer.outcome = 'recorded'
       AND ((answer.event).run_id = 'control' OR (answer.event).event_type <> 'proposed'
            OR ((answer.event).repository, (answer.event).base, (answer.event).fingerprint)
               IS DISTINCT FROM (p_repository, p_base, p_fingerprint)) THEN
        RAISE EXCEPTION 'the event is no proposed event of this subject' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- `Ledger::begin_merge`.
ALTER FUNCTION public.self_extension_begin_merge(uuid, text, text, bigint, bytea, text, text, bigint, boolean)
    RENAME TO self_extension_begin_merge_unchecked;
CREATE FUNCTION public.self_extension_begin_merge(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea,
    p_repository text, p_base text, p_pull_request bigint, p_rollback boolean
) RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer public.self_extension_answer;
BEGIN
    answer := public.self_extension_begin_merge_unchecked(
        p_event_id, p_run_id, p_content, p_sequence, p_prev_hash, p_repository, p_base, p_pull_request, p_rollback);
    IF answer.outcome = 'recorded'
       AND ((answer.event).repository, (answer.event).base, (answer.event).pull_request)
           IS DISTINCT FROM (p_repository, p_base, p_pull_request) THEN
        RAISE EXCEPTION 'the event is of another merge than the one that was asked for' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- `PromotionControl::pause` for an operator: whatever the row was, also if there was none. The accepted history stays.
ALTER FUNCTION public.self_extension_pause(uuid, text, jsonb) RENAME TO self_extension_pause_unchecked;
CREATE FUNCTION public.self_extension_pause_as_operator(p_event_id uuid, p_content text, p_value jsonb)
RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer public.self_extension_answer;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    -- The history is what the row says it is, and never the caller's to say.
    IF public.self_extension_control_state(p_value) NOT IN ('paused', 'paused-except-rollbacks') OR p_value ? 'history' THEN
        RAISE EXCEPTION 'the value is no pause' USING ERRCODE = 'check_violation';
    END IF;
    answer := public.self_extension_pause_unchecked(p_event_id, p_content, p_value);
    IF answer.outcome = 'recorded'
       AND ((answer.event).event_type <> 'promotion_pause_changed' OR (answer.event).payload -> 'paused' <> 'true') THEN
        RAISE EXCEPTION 'the event is no pause' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- `PromotionControl::pause` for anybody: it may make a pause stricter, and never laxer.
CREATE FUNCTION public.self_extension_pause(p_event_id uuid, p_content text, p_value jsonb)
RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.self_extension_require_read_committed();
    IF p_value -> 'allow_rollbacks' = 'true' THEN
        RAISE EXCEPTION 'a pause that allows rollbacks is an operator''s to make' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN public.self_extension_pause_as_operator(p_event_id, p_content, p_value);
END
$$;

-- `PromotionControl::resume`, for operators alone.
ALTER FUNCTION public.self_extension_resume(uuid, text, jsonb, text, uuid, text) RENAME TO self_extension_resume_unchecked;
CREATE FUNCTION public.self_extension_resume(
    p_event_id uuid, p_content text, p_value jsonb,
    p_history text, p_history_event_id uuid, p_history_content text
) RETURNS public.self_extension_answer
LANGUAGE plpgsql AS $$
DECLARE
    answer public.self_extension_answer;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    IF public.self_extension_control_state(p_value) <> 'running' OR p_value ? 'history' THEN
        RAISE EXCEPTION 'the value is no resume' USING ERRCODE = 'check_violation';
    END IF;
    answer := public.self_extension_resume_unchecked(
        p_event_id, p_content, p_value, p_history, p_history_event_id, p_history_content);
    IF answer.outcome = 'recorded'
       AND ((answer.event).event_type <> 'promotion_pause_changed' OR (answer.event).payload -> 'paused' <> 'false') THEN
        RAISE EXCEPTION 'the event is no resume' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- What agents and operators call, operators alone, and everybody; what later migrations bring is named here, too.
CREATE FUNCTION public.self_extension_functions_of(p_who text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_who
        WHEN 'agent' THEN ARRAY['self_extension_append', 'self_extension_append_all', 'self_extension_propose',
                                'self_extension_begin_merge', 'self_extension_pause']
        WHEN 'operator' THEN ARRAY['self_extension_append_as_operator', 'self_extension_pause_as_operator',
                                   'self_extension_resume', 'self_extension_seal']
        -- What reads alone: it says nothing that a table would not, to those who may read that.
        WHEN 'everybody' THEN ARRAY['self_extension_history', 'self_extension_control_state', 'self_extension_same_merge']
    END
$$;

-- The right to each function, and to nothing beside them.
CREATE FUNCTION public.self_extension_close_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS name, p.proname, p.prorettype = 'trigger'::regtype AS is_trigger
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\_extension\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', f.name);
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

-- Makes the three roles, gives everything to their owner and to the others what they need. Answers what could not be done,
-- or NULL. May be repeated, by a role that may make roles and owns the schema, or by a superuser: a migration that was run by
-- one that may not has left everything as it was.
CREATE FUNCTION public.self_extension_make_roles() RETURNS text
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
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
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
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname IN ('agent_state', 'selfext_migrations') OR c.relname LIKE 'self\_extension\_%')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO selfext_operator, selfext_agent', object.name);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE ON public.agent_state TO selfext_agent;
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
