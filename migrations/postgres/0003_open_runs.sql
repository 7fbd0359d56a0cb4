-- The runs that are open, and their open merge permits: what the ledger says, kept at hand, so that asking for it reads as
-- many rows as there are open runs, however long the ledger is. The ledger stays the only truth: this table is written by
-- the trigger below alone, in the transaction of the event, and can be made anew from the events at any time.
CREATE TABLE public.self_extension_open_runs (
    run_id       text COLLATE "C" NOT NULL,
    proposed     bigint NOT NULL,           -- the id of the run's `proposed` event
    repository   text COLLATE "C",
    base         text COLLATE "C",
    pull_request bigint,                    -- of the open permit
    permit       bigint,                    -- the id of the `merge_started` event whose merge may still happen
    CONSTRAINT self_extension_open_runs_pkey PRIMARY KEY (run_id)
);

-- One merge at a time into a branch, and of a pull request. `self_extension_begin_merge` looks first and answers nicely;
-- these hold whoever inserts.
CREATE UNIQUE INDEX self_extension_open_permits_base
    ON public.self_extension_open_runs (repository, base) WHERE permit IS NOT NULL;
CREATE UNIQUE INDEX self_extension_open_permits_pull_request
    ON public.self_extension_open_runs (repository, pull_request) WHERE permit IS NOT NULL;

-- Defined with its owner's rights, so that no role needs any on the table. An event of a type that is not known here leaves
-- a run and its permit as they are: an open permit is closed only by what is known to close it.
CREATE FUNCTION public.self_extension_open_runs_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CASE NEW.event_type
    WHEN 'proposed' THEN
        INSERT INTO public.self_extension_open_runs (run_id, proposed, repository, base)
        VALUES (NEW.run_id, NEW.id, NEW.repository, NEW.base);
    WHEN 'merge_started' THEN
        UPDATE public.self_extension_open_runs
        SET permit = NEW.id, pull_request = NEW.pull_request
        WHERE run_id = NEW.run_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the run % is not open, so no merge of it may begin', NEW.run_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'self_extension_events_merge_of_open_run',
                      SCHEMA = 'public', TABLE = 'self_extension_events';
        END IF;
    WHEN 'promotion_blocked' THEN
        UPDATE public.self_extension_open_runs
        SET permit = NULL, pull_request = NULL
        WHERE run_id = NEW.run_id AND permit IS NOT NULL;
    WHEN 'promoted', 'failed', 'run_abandoned' THEN
        DELETE FROM public.self_extension_open_runs WHERE run_id = NEW.run_id;
    ELSE
        NULL;
    END CASE;
    RETURN NULL;
END
$$;

CREATE TRIGGER self_extension_open_runs_follow
    AFTER INSERT ON public.self_extension_events
    FOR EACH ROW EXECUTE FUNCTION public.self_extension_open_runs_follow();

CREATE FUNCTION public.self_extension_open_runs_derived() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'self_extension_open_runs follows the ledger: % by hand is refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'self_extension_open_runs_derived',
                  SCHEMA = 'public', TABLE = 'self_extension_open_runs';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER self_extension_open_runs_derived
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.self_extension_open_runs
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_open_runs_derived();

ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_open_runs_follow;
ALTER TABLE public.self_extension_open_runs ENABLE ALWAYS TRIGGER self_extension_open_runs_derived;
