-- What landed last on a base branch.
CREATE INDEX self_extension_events_promoted
    ON public.self_extension_events (repository, base, id DESC) WHERE event_type = 'promoted';

-- Writes one event as number `p_sequence` of its stream, behind the event with the hash `p_prev_hash` (NULL: whichever it
-- is), or says why not. For the functions below.
DROP FUNCTION public.self_extension_write(uuid, text, text, bigint);
CREATE FUNCTION public.self_extension_write(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea DEFAULT NULL
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    written public.self_extension_events;
    last_hash bytea;
BEGIN
    SELECT last.sequence, last.hash INTO answer.actual, last_hash
    FROM public.self_extension_events last
    WHERE last.run_id = p_run_id ORDER BY last.sequence DESC LIMIT 1;
    answer.actual := coalesce(answer.actual, 0);
    last_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));

    IF p_sequence = answer.actual + 1 THEN
        IF p_prev_hash <> last_hash THEN
            answer.outcome := 'diverged';
            RETURN answer;
        END IF;
        INSERT INTO public.self_extension_events (content, sequence) VALUES (p_content, p_sequence)
        ON CONFLICT DO NOTHING RETURNING * INTO written;
        IF FOUND THEN
            IF written.event_id <> p_event_id OR written.run_id <> p_run_id THEN
                RAISE EXCEPTION 'the content belongs to another event or stream' USING ERRCODE = 'check_violation';
            END IF;
            answer.outcome := 'recorded';
            answer.event := written;
            RETURN answer;
        END IF;
        -- Somebody was faster: the insert waited for them, so they are visible now.
        SELECT e.* INTO written FROM public.self_extension_events e WHERE e.event_id = p_event_id;
        IF FOUND THEN
            answer.outcome := CASE WHEN written.content = p_content THEN 'recorded' ELSE 'id-reused' END;
            answer.event := written;
            RETURN answer;
        END IF;
        SELECT max(last.sequence) INTO answer.actual
        FROM public.self_extension_events last WHERE last.run_id = p_run_id;
    END IF;
    answer.outcome := 'conflict';
    RETURN answer;
END
$$;

-- `Ledger::append`. The control stream and `merge_started` have functions of their own.
DROP FUNCTION public.self_extension_append(uuid, text, text, bigint);
CREATE FUNCTION public.self_extension_append(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
       AND ((answer.event).run_id = 'control' OR (answer.event).event_type = 'merge_started') THEN
        RAISE EXCEPTION 'the control stream and merge_started are not written by append' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- Whether two `merge_started` events are of one and the same merge, whoever holds it and for however long: the domain's
-- `PermitTerms::is_of_the_same_merge_as`.
CREATE FUNCTION public.self_extension_same_merge(p_one jsonb, p_other jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p_one -> 'pull_request' = p_other -> 'pull_request'
       AND (p_one -> 'payload') - ARRAY['holder', 'deadline_seconds']
         = (p_other -> 'payload') - ARRAY['holder', 'deadline_seconds']
$$;

-- `Ledger::begin_merge`: the lock of the control, the look at it, and the `merge_started` event in one transaction, which a
-- pause either precedes or follows. Where the run's own permit is open, the event takes it over.
DROP FUNCTION public.self_extension_begin_merge(uuid, text, text, bigint, text, text, bigint, boolean);
CREATE FUNCTION public.self_extension_begin_merge(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea,
    p_repository text, p_base text, p_pull_request bigint, p_rollback boolean
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    state text;
    own public.self_extension_events;
    last public.self_extension_events;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    -- One statement locks, the next ones look: a statement that waited for the lock still sees what was before. Not
    -- FOR SHARE, which would let a stream of merges keep a pause waiting.
    PERFORM 1 FROM public.agent_state WHERE key = 'self_extension:promotion_control' FOR NO KEY UPDATE;

    SELECT e.* INTO last FROM public.self_extension_events e WHERE e.run_id = p_run_id ORDER BY e.sequence DESC LIMIT 1;
    SELECT e INTO answer.event FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF FOUND THEN
        answer.outcome := CASE
            WHEN (answer.event).content <> p_content THEN 'id-reused'
            WHEN (answer.event).id = last.id THEN 'recorded'
            ELSE 'permit-closed'
        END;
        RETURN answer;
    END IF;

    SELECT s.value::text, s.updated_at INTO answer.control, answer.control_updated_at
    FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control';
    answer.history := public.self_extension_history();
    state := public.self_extension_control_state(answer.control::jsonb);
    IF NOT (state = 'running' OR (p_rollback AND state = 'paused-except-rollbacks'))
       OR answer.control::jsonb ->> 'history' IS DISTINCT FROM answer.history THEN
        answer.outcome := 'control';
        RETURN answer;
    END IF;

    answer.actual := coalesce(last.sequence, 0);
    IF p_sequence <> answer.actual + 1 THEN
        answer.outcome := 'conflict';
        RETURN answer;
    END IF;

    SELECT e.* INTO own
    FROM public.self_extension_open_runs o JOIN public.self_extension_events e ON e.id = o.permit
    WHERE o.run_id = p_run_id;
    IF FOUND THEN
        IF own.id <> last.id OR NOT public.self_extension_same_merge(own.content::jsonb, p_content::jsonb) THEN
            answer.outcome := 'other-merge';
            RETURN answer;
        END IF;
    ELSE
        SELECT o.run_id INTO answer.other_run
        FROM public.self_extension_open_runs o
        WHERE o.permit IS NOT NULL AND o.repository = p_repository AND (o.base = p_base OR o.pull_request = p_pull_request)
        ORDER BY o.permit LIMIT 1;
        IF FOUND THEN
            answer.outcome := 'merge-in-flight';
            RETURN answer;
        END IF;
        IF NOT EXISTS (SELECT FROM public.self_extension_open_runs o WHERE o.run_id = p_run_id) THEN
            answer.outcome := 'not-open';
            RETURN answer;
        END IF;
        -- The run looked at the base after it was tested. What was promoted before that, it has seen; what was promoted
        -- since, perhaps not.
        SELECT p.run_id INTO answer.other_run
        FROM public.self_extension_events p
        WHERE p.event_type = 'promoted' AND p.repository = p_repository AND p.base = p_base
          AND p.id > (SELECT max(t.id) FROM public.self_extension_events t
                      WHERE t.run_id = p_run_id AND t.event_type = 'tested')
        ORDER BY p.id DESC LIMIT 1;
        IF FOUND THEN
            answer.outcome := 'base-moved';
            RETURN answer;
        END IF;
    END IF;

    answer := public.self_extension_write(p_event_id, p_run_id, p_content, p_sequence, p_prev_hash);
    IF answer.outcome = 'recorded' AND (answer.event).event_type <> 'merge_started' THEN
        RAISE EXCEPTION 'the event is no merge_started' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;
