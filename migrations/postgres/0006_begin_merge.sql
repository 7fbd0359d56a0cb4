-- `Ledger::begin_merge`: the lock of the control, the look at it, and the `merge_started` event in one transaction, which a
-- pause either precedes or follows.
CREATE FUNCTION public.self_extension_begin_merge(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint,
    p_repository text, p_base text, p_pull_request bigint, p_rollback boolean
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    state text;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    -- One statement locks, the next ones look: a statement that waited for the lock still sees what was before. Not
    -- FOR SHARE, which would let a stream of merges keep a pause waiting.
    PERFORM 1 FROM public.agent_state WHERE key = 'self_extension:promotion_control' FOR NO KEY UPDATE;

    SELECT e INTO answer.event FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF FOUND THEN
        answer.outcome := CASE
            WHEN (answer.event).content <> p_content THEN 'id-reused'
            WHEN EXISTS (SELECT FROM public.self_extension_open_runs o WHERE o.permit = (answer.event).id
                                                                         AND o.run_id = p_run_id)
             AND NOT EXISTS (SELECT FROM public.self_extension_events later
                             WHERE later.run_id = p_run_id AND later.sequence > (answer.event).sequence) THEN 'recorded'
            ELSE 'permit-closed'
        END;
        RETURN answer;
    END IF;

    SELECT s.value::text, s.updated_at INTO answer.control, answer.control_updated_at
    FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control';
    state := public.self_extension_control_state(answer.control::jsonb);
    IF state <> 'running' AND NOT (p_rollback AND state = 'paused-except-rollbacks') THEN
        answer.outcome := 'control';
        RETURN answer;
    END IF;

    SELECT last.sequence INTO answer.actual
    FROM public.self_extension_events last
    WHERE last.run_id = p_run_id ORDER BY last.sequence DESC LIMIT 1;
    answer.actual := coalesce(answer.actual, 0);
    IF p_sequence <> answer.actual + 1 THEN
        answer.outcome := 'conflict';
        RETURN answer;
    END IF;

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

    answer := public.self_extension_write(p_event_id, p_run_id, p_content, p_sequence);
    IF answer.outcome = 'recorded' AND (answer.event).event_type <> 'merge_started' THEN
        RAISE EXCEPTION 'the event is no merge_started' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;
