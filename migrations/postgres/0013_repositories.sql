-- Which repository a name led to when it was first used, by the number that it keeps when it is renamed: another one that comes to
-- have the name is found out. See the port `Repositories`.
CREATE TABLE public.self_extension_repositories (
    forge      text COLLATE "C" NOT NULL,   -- where its API is
    name       text COLLATE "C" NOT NULL,   -- in small letters: GitHub does not tell the others apart
    number     bigint NOT NULL,
    written_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT self_extension_repositories_pkey PRIMARY KEY (forge, name)
);

CREATE FUNCTION public.self_extension_repositories_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what a name led to first stays as it is: % is refused on self_extension_repositories', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'self_extension_repositories_append_only',
              SCHEMA = 'public', TABLE = 'self_extension_repositories';
END
$$;
CREATE TRIGGER self_extension_repositories_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.self_extension_repositories
    FOR EACH STATEMENT EXECUTE FUNCTION public.self_extension_repositories_append_only();
ALTER TABLE public.self_extension_repositories ENABLE ALWAYS TRIGGER self_extension_repositories_append_only;

-- `Repositories::remember`: the number that was remembered first, which is this one if none was. The second statement sees what
-- another transaction has committed while the first one waited for it.
CREATE FUNCTION public.self_extension_remember_repository(p_forge text, p_name text, p_number bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    remembered bigint;
BEGIN
    PERFORM public.self_extension_require_read_committed();
    INSERT INTO public.self_extension_repositories
    VALUES (p_forge, lower(p_name COLLATE "C"), p_number, session_user, clock_timestamp())
    ON CONFLICT (forge, name) DO NOTHING;
    SELECT r.number INTO STRICT remembered FROM public.self_extension_repositories r
    WHERE r.forge = p_forge AND r.name = lower(p_name COLLATE "C");
    RETURN remembered;
END
$$;

CREATE OR REPLACE FUNCTION public.self_extension_functions_of(p_who text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_who
        WHEN 'agent' THEN ARRAY['self_extension_append', 'self_extension_append_all', 'self_extension_propose',
                                'self_extension_begin_merge', 'self_extension_pause', 'self_extension_remember_repository']
        WHEN 'operator' THEN ARRAY['self_extension_append_as_operator', 'self_extension_pause_as_operator',
                                   'self_extension_resume', 'self_extension_seal']
        -- What reads alone: it says nothing that a table would not, to those who may read that.
        WHEN 'everybody' THEN ARRAY['self_extension_history', 'self_extension_control_state', 'self_extension_same_merge']
    END
$$;

-- For the new table and functions.
SELECT public.self_extension_make_roles();
