-- The guard's read costs the server less. What a history is stays what it was.

-- As 0007 and 0010 say, as an expression that the planner puts in the place of each call, which it does only for a function without a
-- search path of its own. It reads alone, with the rights of whoever asks, and every name and operator in it says where it is.
CREATE OR REPLACE FUNCTION public.self_extension_history() RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
        (pg_catalog.pg_control_system()).system_identifier::pg_catalog.text
            OPERATOR(pg_catalog.||) '/'
            OPERATOR(pg_catalog.||)
            ('x' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))
                ::pg_catalog.bit(32)::pg_catalog.int8::pg_catalog.text
    END
$$;

-- The right to each function, and to nothing beside them.
CREATE OR REPLACE FUNCTION public.self_extension_close_functions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS name, p.proname
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'self\_extension\_%'
    LOOP
        IF f.proname IN ('self_extension_events_derive', 'self_extension_history') THEN
            EXECUTE format('ALTER FUNCTION %s RESET search_path', f.name);
        ELSE
            EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', f.name);
        END IF;
        IF f.proname <> ALL (public.self_extension_functions_of('everybody')) THEN
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.name);
        END IF;
        IF f.proname = ANY (public.self_extension_functions_of('agent'))
           OR f.proname = ANY (public.self_extension_functions_of('operator')) THEN
            EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', f.name);
        END IF;
    END LOOP;
END
$$;

-- For its new way.
SELECT public.self_extension_make_roles();
