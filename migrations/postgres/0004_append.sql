-- What the functions answer: a word, what the word needs, and the stored row where there is one.
--   recorded        the event is in the ledger, now or since an earlier try: `event`
--   id-reused       its id has other content there: `event`
--   conflict        its number is not the next one: `actual` is the last
--   run-exists      another run of the subject began in between: `other_run`, or NULL if there is no run at all
--   control         the promotion control refuses: `control` and `control_updated_at`, NULL if there is no row
--   merge-in-flight another permit is open: `other_run`
--   not-open        the run is not open
--   permit-closed   the event is there, but its permit is closed or being fenced
CREATE TYPE public.self_extension_answer AS (
    outcome            text,
    actual             bigint,
    other_run          text,
    control            text,
    control_updated_at timestamptz,
    event              public.self_extension_events
);

-- The functions lock in one statement and look in the next. That is safe only where each statement has its own snapshot.
CREATE FUNCTION public.self_extension_require_read_committed() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the transaction is %, but selfext decides in read committed alone',
            current_setting('transaction_isolation') USING ERRCODE = 'invalid_transaction_state';
    END IF;
END
$$;

-- Writes one event as number `p_sequence` of its stream, or says why not. For the functions below.
CREATE FUNCTION public.self_extension_write(p_event_id uuid, p_run_id text, p_content text, p_sequence bigint)
RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    written public.self_extension_events;
BEGIN
    SELECT last.sequence INTO answer.actual
    FROM public.self_extension_events last
    WHERE last.run_id = p_run_id ORDER BY last.sequence DESC LIMIT 1;
    answer.actual := coalesce(answer.actual, 0);

    IF p_sequence = answer.actual + 1 THEN
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
CREATE FUNCTION public.self_extension_append(p_event_id uuid, p_run_id text, p_content text, p_sequence bigint)
RETURNS public.self_extension_answer
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
    answer := public.self_extension_write(p_event_id, p_run_id, p_content, p_sequence);
    IF answer.outcome = 'recorded'
       AND ((answer.event).run_id = 'control' OR (answer.event).event_type = 'merge_started') THEN
        RAISE EXCEPTION 'the control stream and merge_started are not written by append' USING ERRCODE = 'check_violation';
    END IF;
    RETURN answer;
END
$$;

-- `Ledger::propose`: one at a time for a subject, and only behind the run that the caller knows as its latest.
CREATE FUNCTION public.self_extension_propose(
    p_event_id uuid, p_run_id text, p_content text, p_repository text, p_base text, p_fingerprint text, p_after text
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    stored public.self_extension_events;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    PERFORM pg_advisory_xact_lock(hashtextextended(p_fingerprint || ' ' || p_repository || ' ' || p_base, 7365660402));

    SELECT e.* INTO stored FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF FOUND THEN
        answer.outcome := CASE WHEN stored.content = p_content THEN 'recorded' ELSE 'id-reused' END;
        answer.event := stored;
        RETURN answer;
    END IF;

    SELECT latest.run_id INTO answer.other_run
    FROM public.self_extension_events latest
    WHERE latest.event_type = 'proposed' AND latest.repository = p_repository AND latest.base = p_base
      AND latest.fingerprint = p_fingerprint
    ORDER BY latest.id DESC LIMIT 1;
    IF answer.other_run IS DISTINCT FROM p_after THEN
        answer.outcome := 'run-exists';
        RETURN answer;
    END IF;
    RETURN public.self_extension_write(p_event_id, p_run_id, p_content, 1);
END
$$;
