-- Fewer steps for each event, and batches. What the database derives and refuses stays what it was.

-- Most events do not touch the open runs, and then the function is not called.
DROP TRIGGER self_extension_open_runs_follow ON public.self_extension_events;
CREATE TRIGGER self_extension_open_runs_follow
    AFTER INSERT ON public.self_extension_events
    FOR EACH ROW
    WHEN (NEW.event_type IN ('proposed', 'merge_started', 'promotion_blocked', 'promoted', 'failed', 'run_abandoned'))
    EXECUTE FUNCTION public.self_extension_open_runs_follow();
ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_open_runs_follow;

-- `Ledger::append_all`: several events of one stream, numbered from `p_sequence` on, all of them or none. Answers a row an
-- event, in their order, where all are recorded, and one row that says why not where none is. Beside the outcomes of
-- `self_extension_append` there is
--   recorded-in-part some of the events were recorded before, and others not
CREATE FUNCTION public.self_extension_append_all(
    p_event_ids uuid[], p_run_id text, p_contents text[], p_sequence bigint, p_prev_hash bytea
) RETURNS SETOF public.self_extension_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    events CONSTANT bigint := cardinality(p_contents);
    known bigint;
    stored public.self_extension_events;
    last_hash bytea;
    which text;
BEGIN
    IF cardinality(p_event_ids) <> events THEN
        RAISE EXCEPTION 'there are % ids, but % contents', cardinality(p_event_ids), events
            USING ERRCODE = 'check_violation';
    END IF;

    SELECT last.sequence, last.hash INTO answer.actual, last_hash
    FROM public.self_extension_events last
    WHERE last.run_id = p_run_id ORDER BY last.sequence DESC LIMIT 1;
    answer.actual := coalesce(answer.actual, 0);
    last_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));

    IF p_sequence = answer.actual + 1 AND (p_prev_hash = last_hash) IS NOT FALSE THEN
        BEGIN
            INSERT INTO public.self_extension_events (content, sequence)
            SELECT given.content, p_sequence + given.number - 1
            FROM unnest(p_contents) WITH ORDINALITY AS given (content, number) ORDER BY given.number;

            RETURN QUERY
            SELECT 'recorded', NULL::bigint, NULL, NULL, NULL::timestamptz, e, NULL
            FROM public.self_extension_events e
            WHERE e.run_id = p_run_id AND e.sequence BETWEEN p_sequence AND p_sequence + events - 1
              AND e.event_id = p_event_ids[e.sequence - p_sequence + 1]
              AND e.run_id <> 'control' AND e.event_type NOT IN ('merge_started', 'proposed')
              AND e.event_type <> ALL (public.self_extension_operators_types())
            ORDER BY e.sequence;
            GET DIAGNOSTICS known = ROW_COUNT;
            IF known <> events THEN
                RAISE EXCEPTION 'a content belongs to another event or stream, or is not an agent''s to append'
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            -- Somebody was faster: the insert waited for them, so they are visible now. Or an id is taken.
            GET STACKED DIAGNOSTICS which = CONSTRAINT_NAME;
            IF which NOT IN ('self_extension_events_event_id_key', 'self_extension_events_stream_key') THEN
                RAISE;
            END IF;
        END;
    END IF;

    SELECT e.* INTO stored
    FROM unnest(p_event_ids, p_contents) AS given (event_id, content)
    JOIN public.self_extension_events e ON e.event_id = given.event_id
    WHERE e.content <> given.content LIMIT 1;
    IF FOUND THEN
        answer.outcome := 'id-reused';
        answer.event := stored;
        RETURN NEXT answer;
        RETURN;
    END IF;
    SELECT count(*) INTO known
    FROM public.self_extension_events e WHERE e.event_id = ANY (p_event_ids);
    IF known = events THEN
        RETURN QUERY
        SELECT 'recorded', NULL::bigint, NULL, NULL, NULL::timestamptz, e, NULL
        FROM unnest(p_event_ids) WITH ORDINALITY AS given (event_id, number)
        JOIN public.self_extension_events e ON e.event_id = given.event_id
        ORDER BY given.number;
        RETURN;
    ELSIF known > 0 THEN
        answer.outcome := 'recorded-in-part';
    ELSE
        SELECT coalesce(max(last.sequence), 0) INTO answer.actual
        FROM public.self_extension_events last WHERE last.run_id = p_run_id;
        answer.outcome := CASE WHEN p_sequence = answer.actual + 1 THEN 'diverged' ELSE 'conflict' END;
    END IF;
    RETURN NEXT answer;
END
$$;

-- What 0007 says, as an expression instead of a query: every look at the control asks for it.
CREATE OR REPLACE FUNCTION public.self_extension_history() RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN (pg_control_system()).system_identifier
        || '/' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
END
$$;
