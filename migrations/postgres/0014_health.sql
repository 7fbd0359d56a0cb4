-- Health windows and rollbacks: which landed runs hold others back, the baselines, what agents say of their health, and who of
-- several watches.

-- No event comes between the lists that are made here and the trigger that goes on with them.
LOCK TABLE public.self_extension_events IN SHARE ROW EXCLUSIVE MODE;

-- The landed runs that hold others of their branch back: their window is open (`promoted`), they are sick
-- (`health_window_failed`), they are being taken back (`rollback_started`), or could not be and no operator knows
-- (`rollback_failed`). As self_extension_open_runs, this follows from the ledger and can be made anew from it at any time.
CREATE TABLE public.self_extension_watched_runs (
    run_id       text COLLATE "C" NOT NULL,
    repository   text COLLATE "C" NOT NULL,
    base         text COLLATE "C" NOT NULL,
    promoted     bigint NOT NULL,           -- the id of the run's `promoted` event
    event        bigint NOT NULL,           -- the id of the event that says how it stands
    event_type   text COLLATE "C" NOT NULL, -- and its type
    rollback_run text COLLATE "C",          -- the run that takes it back, or tried to
    CONSTRAINT self_extension_watched_runs_pkey PRIMARY KEY (run_id)
);
CREATE INDEX self_extension_watched_runs_base ON public.self_extension_watched_runs (repository, base, promoted);

-- The last commit of each branch that is known to be healthy: that of the last window that passed. Before any did, the commit
-- that was verified under the first change that had to prove itself. It follows from the ledger, too.
CREATE TABLE public.self_extension_baselines (
    repository text COLLATE "C" NOT NULL,
    base       text COLLATE "C" NOT NULL,
    commit_sha text NOT NULL,
    event      bigint NOT NULL,             -- the id of the event that set it
    CONSTRAINT self_extension_baselines_pkey PRIMARY KEY (repository, base)
);

INSERT INTO public.self_extension_watched_runs
SELECT p.run_id, p.repository, p.base, p.id, l.id, l.event_type, l.payload ->> 'rollback_run'
FROM public.self_extension_events p
CROSS JOIN LATERAL (
    SELECT * FROM public.self_extension_events e WHERE e.run_id = p.run_id ORDER BY e.sequence DESC LIMIT 1
) l
WHERE p.event_type = 'promoted' AND p.repository IS NOT NULL AND p.base IS NOT NULL
  AND (l.event_type IN ('health_window_failed', 'rollback_started', 'rollback_failed')
       OR (l.event_type = 'promoted' AND l.payload ->> 'health' IS NOT NULL))
ON CONFLICT DO NOTHING;

INSERT INTO public.self_extension_baselines
SELECT DISTINCT ON (e.repository, e.base) e.repository, e.base, e.payload ->> 'commit', e.id
FROM public.self_extension_events e
WHERE e.event_type = 'health_window_passed' AND e.payload ->> 'commit' IS NOT NULL
  AND e.repository IS NOT NULL AND e.base IS NOT NULL
ORDER BY e.repository, e.base, e.id DESC;

INSERT INTO public.self_extension_baselines
SELECT DISTINCT ON (p.repository, p.base) p.repository, p.base, m.payload ->> 'base_commit', p.id
FROM public.self_extension_events p
CROSS JOIN LATERAL (
    SELECT * FROM public.self_extension_events e
    WHERE e.run_id = p.run_id AND e.event_type = 'merge_started' AND e.sequence < p.sequence
    ORDER BY e.sequence DESC LIMIT 1
) m
WHERE p.event_type = 'promoted' AND p.payload ->> 'health' IS NOT NULL AND m.payload ->> 'base_commit' IS NOT NULL
  AND p.repository IS NOT NULL AND p.base IS NOT NULL
ORDER BY p.repository, p.base, p.id
ON CONFLICT DO NOTHING;

-- With its owner's rights, so that no role needs any on the tables. A run is freed only by what may free it as it stands.
CREATE FUNCTION public.self_extension_watched_runs_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
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
    RETURN NULL;
END
$$;

CREATE TRIGGER self_extension_watched_runs_follow
    AFTER INSERT ON public.self_extension_events
    FOR EACH ROW
    WHEN (NEW.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                             'rollback_failed', 'rollback_acknowledged')
          OR (NEW.event_type = 'promoted' AND NEW.payload ->> 'health' IS NOT NULL))
    EXECUTE FUNCTION public.self_extension_watched_runs_follow();

CREATE FUNCTION public.self_extension_derived() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% follows the ledger: % by hand is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_derived',
                  SCHEMA = 'public', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER self_extension_watched_runs_derived
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.self_extension_watched_runs
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_derived();
CREATE TRIGGER self_extension_baselines_derived
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.self_extension_baselines
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_derived();

ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_watched_runs_follow;
ALTER TABLE public.self_extension_watched_runs ENABLE ALWAYS TRIGGER self_extension_watched_runs_derived;
ALTER TABLE public.self_extension_baselines ENABLE ALWAYS TRIGGER self_extension_baselines_derived;

-- The `rollback_started` event by which the run `p_target` is being taken back by `p_run_id`, in the same branch; NULL if it is not.
CREATE FUNCTION public.self_extension_rollback_of(p_run_id text, p_target text, p_repository text, p_base text)
RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.event FROM public.self_extension_watched_runs w
    WHERE w.run_id = p_target AND w.event_type = 'rollback_started' AND w.rollback_run = p_run_id
      AND w.repository = p_repository AND w.base = p_base
$$;

-- `Ledger::begin_merge`: the lock of the control, the look at it, and the `merge_started` event in one transaction, which a
-- pause either precedes or follows. Where the run's own permit is open, the event takes it over. Whether the run takes another
-- back is what the ledger says of both. Beside the outcomes that 0007 names there are
--   held-back       a landed run holds this one back: `other_run`, and in `event` the event that says how it stands
--   no-rollback     this run is to take back `other_run`, of which the ledger does not say that it does
DROP FUNCTION public.self_extension_begin_merge(uuid, text, text, bigint, bytea, text, text, bigint, boolean);
DROP FUNCTION public.self_extension_begin_merge_unchecked(uuid, text, text, bigint, bytea, text, text, bigint, boolean);
CREATE FUNCTION public.self_extension_begin_merge(
    p_event_id uuid, p_run_id text, p_content text, p_sequence bigint, p_prev_hash bytea,
    p_repository text, p_base text, p_pull_request bigint
) RETURNS public.self_extension_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    answer public.self_extension_answer;
    state text;
    own public.self_extension_events;
    last public.self_extension_events;
    held public.self_extension_events;
    target text;        -- the run that this one is to take back
    started bigint;     -- the event that says that it does
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

    SELECT p.payload ->> 'rollback_of', public.self_extension_rollback_of(
        p_run_id, p.payload ->> 'rollback_of', p_repository, p_base) INTO target, started
    FROM public.self_extension_events p
    WHERE p.run_id = p_run_id AND p.sequence = 1 AND p.event_type = 'proposed';

    SELECT s.value::text, s.updated_at INTO answer.control, answer.control_updated_at
    FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control';
    answer.history := public.self_extension_history();
    state := public.self_extension_control_state(answer.control::jsonb);
    IF NOT (state = 'running' OR (started IS NOT NULL AND state = 'paused-except-rollbacks'))
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
        -- What is in flight is looked for before what is watched: a run goes from the one list to the other in one step, and so
        -- is seen in one of them.
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
        -- What holds back is looked for where the run goes.
        IF EXISTS (SELECT FROM public.self_extension_open_runs o
                   WHERE o.run_id = p_run_id AND (o.repository, o.base) IS DISTINCT FROM (p_repository, p_base)) THEN
            RAISE EXCEPTION 'the run goes to another branch than the merge that was asked for'
                USING ERRCODE = 'check_violation';
        END IF;
        IF target IS NOT NULL AND started IS NULL THEN
            answer.outcome := 'no-rollback';
            answer.other_run := target;
            RETURN answer;
        END IF;
        -- What takes another back waits only for what was to be taken back before.
        SELECT e.* INTO held
        FROM public.self_extension_watched_runs w JOIN public.self_extension_events e ON e.id = w.event
        WHERE w.repository = p_repository AND w.base = p_base
          AND (target IS NULL OR (w.event_type = 'rollback_started' AND w.event < started))
        ORDER BY CASE w.event_type WHEN 'rollback_failed' THEN 1 WHEN 'promoted' THEN 3 ELSE 2 END, w.promoted LIMIT 1;
        IF FOUND THEN
            answer.outcome := 'held-back';
            answer.other_run := held.run_id;
            answer.event := held;
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
    IF answer.outcome = 'recorded' THEN
        IF (answer.event).event_type <> 'merge_started' THEN
            RAISE EXCEPTION 'the event is no merge_started' USING ERRCODE = 'check_violation';
        END IF;
        IF ((answer.event).repository, (answer.event).base, (answer.event).pull_request)
           IS DISTINCT FROM (p_repository, p_base, p_pull_request) THEN
            RAISE EXCEPTION 'the event is of another merge than the one that was asked for' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN answer;
END
$$;

-- What only an operator may say, or a watchdog of an operator's: also that a change proved itself, and that it was taken back,
-- because both free what was held back.
CREATE OR REPLACE FUNCTION public.self_extension_operators_types() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY['change_allowed', 'run_abandoned', 'health_window_passed', 'rolled_back', 'rollback_acknowledged']
$$;

-- What agents, and those who look at them, say of their health. It is no ledger: what is judged of it is there.
CREATE TABLE public.self_extension_heartbeats (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    repository  text COLLATE "C" NOT NULL,
    base        text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    commit_sha  text NOT NULL,              -- what runs
    healthy     boolean NOT NULL,
    reporter    text NOT NULL,
    detail      text,
    written_by  text NOT NULL,
    CONSTRAINT self_extension_heartbeats_pkey PRIMARY KEY (id)
);
CREATE INDEX self_extension_heartbeats_base
    ON public.self_extension_heartbeats (repository, base, recorded_at, id);

-- `Heartbeats::record`: when it was recorded.
CREATE FUNCTION public.self_extension_record_heartbeat(
    p_repository text, p_base text, p_commit text, p_healthy boolean, p_reporter text, p_detail text
) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.self_extension_heartbeats
        (repository, base, recorded_at, commit_sha, healthy, reporter, detail, written_by)
    VALUES (p_repository, p_base, clock_timestamp(), p_commit, p_healthy, p_reporter, p_detail, session_user)
    RETURNING recorded_at
$$;

-- `Heartbeats::forget`: how many were forgotten. What an open window may need is kept, and what one may need that opens at this
-- moment: until `promoted` is seen, the permit of its merge is.
CREATE FUNCTION public.self_extension_forget_heartbeats(p_repository text, p_base text, p_keep double precision)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH forgotten AS (
        DELETE FROM public.self_extension_heartbeats h
        WHERE h.repository = p_repository AND h.base = p_base AND h.recorded_at < (SELECT least(
            clock_timestamp() - make_interval(secs => p_keep),
            (SELECT min(e.created_at)
             FROM public.self_extension_watched_runs w JOIN public.self_extension_events e ON e.id = w.promoted
             WHERE w.repository = p_repository AND w.base = p_base AND w.event_type = 'promoted'),
            (SELECT min(e.created_at)
             FROM public.self_extension_open_runs o JOIN public.self_extension_events e ON e.id = o.permit
             WHERE o.repository = p_repository AND o.base = p_base)))
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;

-- Who of several acts.
CREATE TABLE public.self_extension_leases (
    name       text COLLATE "C" NOT NULL,
    holder     text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL,
    written_by text NOT NULL,
    CONSTRAINT self_extension_leases_pkey PRIMARY KEY (name)
);

-- `Leases::acquire`: who has it now, and until when.
CREATE FUNCTION public.self_extension_acquire_lease(
    p_name text, p_holder text, p_time double precision, OUT held_by text, OUT held_until timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.self_extension_require_read_committed();
    LOOP
        INSERT INTO public.self_extension_leases AS l
        VALUES (p_name, p_holder, clock_timestamp() + make_interval(secs => p_time), session_user)
        ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, expires_at = clock_timestamp() + make_interval(secs => p_time),
            written_by = excluded.written_by
        WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
        RETURNING l.holder, l.expires_at INTO held_by, held_until;
        EXIT WHEN FOUND;
        -- Unless it was given up or expired in between.
        SELECT l.holder, l.expires_at INTO held_by, held_until
        FROM public.self_extension_leases l WHERE l.name = p_name AND l.expires_at > clock_timestamp();
        EXIT WHEN FOUND;
    END LOOP;
END
$$;

-- `Leases::release`
CREATE FUNCTION public.self_extension_release_lease(p_name text, p_holder text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.self_extension_leases l WHERE l.name = p_name AND l.holder = p_holder
$$;

CREATE OR REPLACE FUNCTION public.self_extension_functions_of(p_who text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_who
        WHEN 'agent' THEN ARRAY['self_extension_append', 'self_extension_append_all', 'self_extension_propose',
                                'self_extension_begin_merge', 'self_extension_pause', 'self_extension_remember_repository',
                                'self_extension_record_heartbeat', 'self_extension_forget_heartbeats',
                                'self_extension_acquire_lease', 'self_extension_release_lease']
        WHEN 'operator' THEN ARRAY['self_extension_append_as_operator', 'self_extension_pause_as_operator',
                                   'self_extension_resume', 'self_extension_seal']
        -- What reads alone: it says nothing that a table would not, to those who may read that.
        WHEN 'everybody' THEN ARRAY['self_extension_history', 'self_extension_control_state', 'self_extension_same_merge',
                                    'self_extension_rollback_of']
    END
$$;

-- For the new tables and functions.
SELECT public.self_extension_make_roles();
