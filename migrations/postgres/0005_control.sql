-- The promotion control's value as the domain's `ControlState::from_stored` reads it:
-- `running`, `paused`, `paused-except-rollbacks` or `malformed`. Text in it is stored with the escapes of the ledger's
-- contents: `␛0` for NUL, `␛␛` for `␛`.
CREATE FUNCTION public.self_extension_control_state(p_value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v jsonb;
    name text;
    unpaired text;
BEGIN
    IF p_value IS NULL OR jsonb_typeof(p_value) <> 'object' THEN
        RETURN 'malformed';
    END IF;
    IF p_value - ARRAY['version', 'paused', 'by', 'reason', 'allow_rollbacks'] <> '{}' THEN
        RETURN 'malformed';
    END IF;
    v := jsonb_strip_nulls(p_value);
    IF jsonb_typeof(v -> 'version') IS DISTINCT FROM 'number' OR v ->> 'version' <> '1'
       OR jsonb_typeof(v -> 'paused') IS DISTINCT FROM 'boolean' THEN
        RETURN 'malformed';
    END IF;
    IF v -> 'paused' = 'false' THEN
        RETURN CASE WHEN v ?| ARRAY['by', 'reason', 'allow_rollbacks'] THEN 'malformed' ELSE 'running' END;
    END IF;
    IF jsonb_typeof(v -> 'by') IS DISTINCT FROM 'string' OR jsonb_typeof(v -> 'reason') IS DISTINCT FROM 'string'
       OR jsonb_typeof(v -> 'allow_rollbacks') IS DISTINCT FROM 'boolean' THEN
        RETURN 'malformed';
    END IF;
    unpaired := replace(replace(v ->> 'reason', '␛␛', ''), '␛0', '');
    IF strpos(unpaired, '␛') > 0 OR strpos(replace(v ->> 'by', '␛␛', ''), '␛') > 0 THEN
        RETURN 'malformed';
    END IF;
    -- An operator's name: 1 to 128 characters, none invisible, no white space at either end.
    name := replace(v ->> 'by', '␛␛', '␛');
    IF length(name) NOT BETWEEN 1 AND 128
       OR name ~ '[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]'
       OR name ~ '^[\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]'
       OR name ~ '[\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$' THEN
        RETURN 'malformed';
    END IF;
    RETURN CASE WHEN v -> 'allow_rollbacks' = 'true' THEN 'paused-except-rollbacks' ELSE 'paused' END;
END
$$;

-- Appends to the control stream. The caller holds the lock of the control's row, which numbers the stream.
CREATE FUNCTION public.self_extension_write_control(p_event_id uuid, p_content text)
RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    last bigint;
BEGIN
    SELECT e.sequence INTO last
    FROM public.self_extension_events e
    WHERE e.run_id = 'control' ORDER BY e.sequence DESC LIMIT 1;
    answer := public.self_extension_write(p_event_id, 'control', p_content, coalesce(last, 0) + 1);
    -- An error rather than an answer: it takes back what was done to the row.
    IF answer.outcome = 'id-reused' THEN
        RAISE EXCEPTION 'the event id % was used in between', p_event_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'self_extension_events_event_id_key',
                  SCHEMA = 'public', TABLE = 'self_extension_events';
    ELSIF answer.outcome <> 'recorded' THEN
        RAISE EXCEPTION 'the control stream was written past the control''s lock' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN answer;
END
$$;

-- `PromotionControl::pause`: whatever the row was, also if there was none.
CREATE FUNCTION public.self_extension_pause(p_event_id uuid, p_content text, p_value jsonb)
RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    SELECT e INTO answer.event FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF NOT FOUND THEN
        -- Two first pauses at once: the second waits here for the first, and finds its row.
        INSERT INTO public.agent_state (key, value, updated_at)
        VALUES ('self_extension:promotion_control', p_value, clock_timestamp())
        ON CONFLICT (key) DO NOTHING;
        PERFORM 1 FROM public.agent_state WHERE key = 'self_extension:promotion_control' FOR NO KEY UPDATE;
        SELECT e INTO answer.event FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    END IF;
    IF FOUND THEN
        answer.outcome := CASE WHEN (answer.event).content = p_content THEN 'recorded' ELSE 'id-reused' END;
        RETURN answer;
    END IF;
    UPDATE public.agent_state SET value = p_value, updated_at = clock_timestamp()
    WHERE key = 'self_extension:promotion_control';
    RETURN public.self_extension_write_control(p_event_id, p_content);
END
$$;

-- `PromotionControl::resume`: only from a row that is understood.
CREATE FUNCTION public.self_extension_resume(p_event_id uuid, p_content text, p_value jsonb)
RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    state text;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    PERFORM 1 FROM public.agent_state WHERE key = 'self_extension:promotion_control' FOR NO KEY UPDATE;

    SELECT e INTO answer.event FROM public.self_extension_events e WHERE e.event_id = p_event_id;
    IF FOUND THEN
        answer.outcome := CASE WHEN (answer.event).content = p_content THEN 'recorded' ELSE 'id-reused' END;
        RETURN answer;
    END IF;

    SELECT s.value::text, s.updated_at INTO answer.control, answer.control_updated_at
    FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control';
    state := public.self_extension_control_state(answer.control::jsonb);
    IF state = 'malformed' THEN
        answer.outcome := 'control';
        RETURN answer;
    END IF;
    IF state <> 'running' THEN
        UPDATE public.agent_state SET value = p_value, updated_at = clock_timestamp()
        WHERE key = 'self_extension:promotion_control';
    END IF;
    RETURN public.self_extension_write_control(p_event_id, p_content);
END
$$;
