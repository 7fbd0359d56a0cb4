-- The ledger. A client sends `content` and `sequence`; everything else is derived here, whatever the client sent for it.
-- Indexed text is compared by its bytes, which is all that equality needs.
CREATE TABLE public.self_extension_events (
    id             bigint GENERATED ALWAYS AS IDENTITY,
    transaction_id xid8 NOT NULL,
    event_id       uuid NOT NULL,
    run_id         text COLLATE "C" NOT NULL,
    sequence       bigint NOT NULL,
    correlation_id text NOT NULL,
    stage          text NOT NULL,
    event_type     text COLLATE "C" NOT NULL,
    actor_source   text NOT NULL,
    tool_name      text,
    tool_call_id   text,
    goal_id        text,
    cycle_id       text,
    sub_goal_id    text,
    repository     text COLLATE "C",
    base           text COLLATE "C",
    fingerprint    text COLLATE "C",
    pull_request   bigint,
    payload        jsonb NOT NULL,
    content        text NOT NULL,
    written_by     text NOT NULL,
    created_at     timestamptz NOT NULL,
    content_hash   bytea NOT NULL,
    prev_hash      bytea NOT NULL,
    hash           bytea NOT NULL,
    CONSTRAINT self_extension_events_pkey PRIMARY KEY (id),
    CONSTRAINT self_extension_events_event_id_key UNIQUE (event_id),
    CONSTRAINT self_extension_events_stream_key UNIQUE (run_id, sequence)
);

-- The latest run of a subject.
CREATE INDEX self_extension_events_subject
    ON public.self_extension_events (repository, base, fingerprint, id DESC) WHERE event_type = 'proposed';

-- The latest runs.
CREATE INDEX self_extension_events_proposed
    ON public.self_extension_events (id DESC) WHERE event_type = 'proposed';

-- The order of followers.
CREATE INDEX self_extension_events_order ON public.self_extension_events (transaction_id, id);

CREATE FUNCTION public.self_extension_events_derive() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    c CONSTANT jsonb := NEW.content::jsonb;
BEGIN
    NEW.event_id := (c ->> 'event_id')::uuid;
    NEW.run_id := c ->> 'run_id';
    NEW.correlation_id := c ->> 'correlation_id';
    NEW.stage := c ->> 'stage';
    NEW.event_type := c ->> 'event_type';
    NEW.actor_source := c ->> 'actor_source';
    NEW.tool_name := c ->> 'tool_name';
    NEW.tool_call_id := c ->> 'tool_call_id';
    NEW.goal_id := c ->> 'goal_id';
    NEW.cycle_id := c ->> 'cycle_id';
    NEW.sub_goal_id := c ->> 'sub_goal_id';
    NEW.repository := c ->> 'repository';
    NEW.base := c ->> 'base';
    NEW.fingerprint := c ->> 'fingerprint';
    NEW.pull_request := (c ->> 'pull_request')::bigint;
    NEW.payload := c -> 'payload';

    NEW.transaction_id := pg_current_xact_id();
    NEW.written_by := session_user;
    NEW.created_at := clock_timestamp();

    NEW.content_hash := sha256(convert_to(NEW.content, 'UTF8'));
    IF NEW.sequence = 1 THEN
        NEW.prev_hash := decode(repeat('00', 32), 'hex');
    ELSE
        SELECT before.hash INTO NEW.prev_hash
        FROM public.self_extension_events before
        WHERE before.run_id = NEW.run_id AND before.sequence = NEW.sequence - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'event % of the stream % has none before it', NEW.sequence, NEW.run_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'self_extension_events_no_gap',
                      SCHEMA = 'public', TABLE = 'self_extension_events';
        END IF;
    END IF;
    NEW.hash := sha256(NEW.prev_hash || NEW.content_hash);

    -- What is answered as recorded has to survive a crash of the database.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER self_extension_events_derive
    BEFORE INSERT ON public.self_extension_events
    FOR EACH ROW EXECUTE FUNCTION public.self_extension_events_derive();

CREATE FUNCTION public.self_extension_events_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the ledger only grows: % is refused on self_extension_events', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'self_extension_events_append_only',
              SCHEMA = 'public', TABLE = 'self_extension_events';
END
$$;

CREATE TRIGGER self_extension_events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.self_extension_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_events_append_only();

-- Plain triggers are skipped under `session_replication_role = replica`; these are not.
ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_events_derive;
ALTER TABLE public.self_extension_events ENABLE ALWAYS TRIGGER self_extension_events_append_only;
