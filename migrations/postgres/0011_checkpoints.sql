-- The checkpoints that seal the ledger: signed roots of a Merkle tree over its events. A database that is rewritten contradicts
-- them; whoever could rewrite them too is found by a checkpoint that was exported.
CREATE TABLE public.self_extension_checkpoints (
    size           bigint NOT NULL,         -- the events that it seals
    transaction_id xid8 NOT NULL,           -- the position of the last of them
    id             bigint NOT NULL,
    frontier       text NOT NULL,           -- what is needed to go on from there without reading them again
    note           text NOT NULL,           -- the signed note
    written_by     text NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT self_extension_checkpoints_pkey PRIMARY KEY (size)
);

CREATE FUNCTION public.self_extension_checkpoints_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints stay as they are: % is refused on self_extension_checkpoints', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'self_extension_checkpoints_append_only',
              SCHEMA = 'public', TABLE = 'self_extension_checkpoints';
END
$$;
CREATE TRIGGER self_extension_checkpoints_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.self_extension_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_checkpoints_append_only();
ALTER TABLE public.self_extension_checkpoints ENABLE ALWAYS TRIGGER self_extension_checkpoints_append_only;

-- `Archive::add_checkpoint`, for operators alone: whoever adds one that is signed by nobody keeps the others from sealing on. Behind the checkpoint that the caller knows as the last, and over events that nothing can come
-- before any more. Answers whether it was added.
CREATE FUNCTION public.self_extension_seal(
    p_after bigint, p_size bigint, p_transaction_id xid8, p_id bigint, p_frontier text, p_note text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last public.self_extension_checkpoints;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    PERFORM pg_advisory_xact_lock(7365660404);
    SELECT c.* INTO last FROM public.self_extension_checkpoints c ORDER BY c.size DESC LIMIT 1;
    IF last.size IS DISTINCT FROM p_after THEN
        RETURN false;
    END IF;
    IF p_size <= coalesce(last.size, 0)
       OR (p_transaction_id, p_id) <= (coalesce(last.transaction_id, '0'::xid8), coalesce(last.id, 0))
       OR p_transaction_id >= pg_snapshot_xmin(pg_current_snapshot())
       OR NOT EXISTS (SELECT FROM public.self_extension_events e
                      WHERE e.transaction_id = p_transaction_id AND e.id = p_id) THEN
        RAISE EXCEPTION 'the checkpoint of % events does not follow the last one', p_size USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO public.self_extension_checkpoints
    VALUES (p_size, p_transaction_id, p_id, p_frontier, p_note, session_user, clock_timestamp());
    RETURN true;
END
$$;

-- For the new table and functions.
SELECT public.self_extension_make_roles();
