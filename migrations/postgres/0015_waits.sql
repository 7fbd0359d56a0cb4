-- Who waits in a promotion, for those who look. It is no ledger, nothing is decided by it, and it may be lost: what is over is no
-- wait any more, so that one of a process that was killed goes away by itself.
CREATE TABLE public.self_extension_waits (
    run_id     text COLLATE "C" NOT NULL,
    holder     text COLLATE "C" NOT NULL,   -- the process
    what       text NOT NULL,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    written_by text NOT NULL,
    CONSTRAINT self_extension_waits_pkey PRIMARY KEY (run_id, holder)
);

-- `Waits::begin`. The same wait that goes on keeps its beginning.
CREATE FUNCTION public.self_extension_begin_wait(p_run_id text, p_holder text, p_what text, p_time double precision)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    -- What another one takes away at this moment is left to it: two never wait for each other.
    DELETE FROM public.self_extension_waits w WHERE w.ctid = ANY (ARRAY(
        SELECT o.ctid FROM public.self_extension_waits o
        WHERE o.until <= clock_timestamp() AND (o.run_id, o.holder) <> (p_run_id, p_holder)
          AND (o.run_id = p_run_id OR o.until <= clock_timestamp() - interval '1 hour')
        FOR UPDATE SKIP LOCKED));
    INSERT INTO public.self_extension_waits AS w
    VALUES (p_run_id, p_holder, p_what, clock_timestamp(), clock_timestamp() + make_interval(secs => p_time), session_user)
    ON CONFLICT (run_id, holder) DO UPDATE
    SET what = excluded.what, until = excluded.until, written_by = excluded.written_by,
        since = CASE WHEN w.what = excluded.what AND w.until > clock_timestamp() THEN w.since ELSE excluded.since END
$$;

-- `Waits::end`
CREATE FUNCTION public.self_extension_end_wait(p_run_id text, p_holder text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.self_extension_waits w WHERE w.run_id = p_run_id AND w.holder = p_holder
$$;

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

-- For the new table and functions.
SELECT public.self_extension_make_roles();
