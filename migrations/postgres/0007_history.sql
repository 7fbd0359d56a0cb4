-- What identifies this server's history: its system identifier and its timeline. A promoted standby and a server that was
-- restored to a point in time are on another timeline, a database that was dumped and restored elsewhere has another
-- identifier; each may have lost its last commits. NULL on a standby. `pg_control_checkpoint()` lags a promotion, so the
-- timeline is read off the name of the file that is written now.
CREATE FUNCTION public.self_extension_history() RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT c.system_identifier FROM pg_control_system() c)
        || '/' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
END
$$;

-- `history` in the control's value is the one that an operator accepted last. The value as the domain's
-- `StoredControl::from_value` reads it: `running`, `paused`, `paused-except-rollbacks` or `malformed`. Text in it is stored
-- with the escapes of the ledger's contents: `␛0` for NUL, `␛␛` for `␛`.
CREATE OR REPLACE FUNCTION public.self_extension_control_state(p_value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v jsonb;
    name text;
    unpaired text;
BEGIN
    IF p_value IS NULL OR jsonb_typeof(p_value) <> 'object' THEN
        RETURN 'malformed';
    END IF;
    IF p_value - ARRAY['version', 'paused', 'by', 'reason', 'allow_rollbacks', 'history'] <> '{}' THEN
        RETURN 'malformed';
    END IF;
    v := jsonb_strip_nulls(p_value);
    IF jsonb_typeof(v -> 'version') IS DISTINCT FROM 'number' OR v ->> 'version' <> '1'
       OR jsonb_typeof(v -> 'paused') IS DISTINCT FROM 'boolean' THEN
        RETURN 'malformed';
    END IF;
    IF v ? 'history' AND (jsonb_typeof(v -> 'history') <> 'string' OR v ->> 'history' !~ '^[!-~]{1,128}$') THEN
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

-- The history under which this migration runs is the first one. Later ones are accepted by `resume` alone.
UPDATE public.agent_state
SET value = value || jsonb_build_object('history', public.self_extension_history()), updated_at = updated_at
WHERE key = 'self_extension:promotion_control' AND public.self_extension_control_state(value) <> 'malformed';

-- What the functions answer: a word, what the word needs, and the stored row where there is one.
--   recorded        the event is in the ledger, now or since an earlier try: `event`
--   id-reused       its id has other content there: `event`
--   conflict        its number is not the next one: `actual` is the last
--   diverged        its number is the next one, but the event before is not the one that its writer knows: `actual`
--   run-exists      another run of the subject began in between: `other_run`, or NULL if there is no run at all
--   control         the promotion control refuses: `control` and `control_updated_at`, NULL if there is no row; `history`
--   history         the history is not the one that the caller would accept: `history`
--   merge-in-flight another permit is open: `other_run`
--   base-moved      another run was promoted into the base since this one was tested: `other_run`
--   not-open        the run is not open
--   permit-closed   the event is there, but its permit is closed, taken over or being fenced
--   other-merge     the run's own permit is open, and is of another merge or being fenced
ALTER TYPE public.self_extension_answer ADD ATTRIBUTE history text;

-- `PromotionControl::pause`: whatever the row was, also if there was none. The accepted history stays what it was.
CREATE OR REPLACE FUNCTION public.self_extension_pause(p_event_id uuid, p_content text, p_value jsonb)
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
    UPDATE public.agent_state
    SET value = CASE
            WHEN public.self_extension_control_state(value) <> 'malformed' AND jsonb_typeof(value -> 'history') = 'string'
            THEN p_value || jsonb_build_object('history', value -> 'history')
            ELSE p_value
        END,
        updated_at = clock_timestamp()
    WHERE key = 'self_extension:promotion_control';
    RETURN public.self_extension_write_control(p_event_id, p_content);
END
$$;

-- `PromotionControl::resume`: only from a row that is understood. Where the history is not the accepted one, the caller says
-- with `p_history` which one it accepts, and with which event.
DROP FUNCTION public.self_extension_resume(uuid, text, jsonb);
CREATE FUNCTION public.self_extension_resume(
    p_event_id uuid, p_content text, p_value jsonb,
    p_history text, p_history_event_id uuid, p_history_content text
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    accepted public.self_extension_answer;
    state text;
    changed boolean;
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

    answer.history := public.self_extension_history();
    changed := answer.control::jsonb ->> 'history' IS DISTINCT FROM answer.history;
    IF changed THEN
        IF answer.history IS DISTINCT FROM p_history OR p_history_content IS NULL THEN
            answer.outcome := 'history';
            RETURN answer;
        END IF;
        accepted := public.self_extension_write_control(p_history_event_id, p_history_content);
    END IF;
    IF state <> 'running' OR changed THEN
        UPDATE public.agent_state
        SET value = p_value || jsonb_build_object('history', answer.history), updated_at = clock_timestamp()
        WHERE key = 'self_extension:promotion_control';
    END IF;
    RETURN public.self_extension_write_control(p_event_id, p_content);
END
$$;
