/**
 * SQL that makes schema `evil`: whatever is found there in place of PostgreSQL's own raises an error. Operators over these types are complete;
 * functions are those that fit better than the catalogue's polymorphic ones, and all of the catalogue's under these names.
 */
export const hostileSchema = `
CREATE SCHEMA evil;
CREATE FUNCTION evil.spring(what text) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked by %', what; END $f$;
DO $do$
DECLARE
  types text[] := ARRAY['text', 'name', 'oid', 'int4', 'int8', 'numeric', 'float8', 'timestamptz', 'interval', 'bool', 'uuid', 'jsonb', 'tid', '"char"', 'regclass'];
  operators text[] := ARRAY['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '||', '->>'];
  domains text[] := ARRAY['text', 'name', 'oid', 'int4', 'int8', 'float8', 'bool', 'uuid', 'json', 'jsonb', 'timestamptz', 'tid', 'regclass'];
  functions text[] := ARRAY['to_regclass', 'md5', 'pg_relation_filenode', 'pg_partition_tree', 'clock_timestamp', 'now', 'floor', 'round', 'extract', 'date_part',
    'length', 'substring', 'abs', 'hashtextextended', 'pg_advisory_xact_lock', 'current_setting', 'set_config', 'current_database', 'pg_is_in_recovery', 'has_schema_privilege',
    'has_table_privilege', 'has_database_privilege', 'pg_has_role', 'format_type', 'pg_get_expr', 'pg_get_indexdef', 'row_security_active', 'pg_get_userbyid', 'quote_ident',
    'pg_encoding_to_char', 'inet_server_addr', 'pg_backend_pid', 'pg_relation_is_publishable', 'array_length', 'cardinality', 'unnest', 'concat', 'format'];
  l text; r text; o text; f record;
BEGIN
  FOREACH l IN ARRAY types LOOP
    FOREACH r IN ARRAY types LOOP
      EXECUTE format('CREATE FUNCTION evil.operate(a pg_catalog.%s, b pg_catalog.%s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RETURN evil.spring(''an operator''); END $f$', l, r);
      FOREACH o IN ARRAY operators LOOP
        EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.operate, LEFTARG = pg_catalog.%s, RIGHTARG = pg_catalog.%s)', o, l, r);
      END LOOP;
    END LOOP;
  END LOOP;
  FOR f IN
    SELECT proname, pg_get_function_identity_arguments(oid) AS arguments FROM pg_catalog.pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(functions) AND prokind = 'f' AND provariadic = 0
      AND NOT EXISTS (SELECT FROM unnest(proargtypes) a JOIN pg_catalog.pg_type t ON t.oid = a WHERE t.typtype = 'p')
  LOOP
    EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RETURN evil.spring(%L); END $f$', f.proname,
      regexp_replace(regexp_replace(f.arguments, 'OUT [^,]*(, )?', '', 'g'), ', $', ''), 'function ' || f.proname);
  END LOOP;
  FOREACH l IN ARRAY ARRAY['uuid', 'text', 'jsonb', 'tid', 'int2', 'oid'] LOOP
    EXECUTE format('CREATE FUNCTION evil.unnest(a pg_catalog.%1$s[]) RETURNS SETOF pg_catalog.%1$s LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.spring(''unnest''); END $f$', l);
  END LOOP;
  FOREACH o IN ARRAY ARRAY['count', 'max', 'min', 'bool_and', 'bool_or', 'every', 'json_agg', 'jsonb_agg', 'array_agg', 'json_build_object'] LOOP
    FOREACH l IN ARRAY types || ARRAY['json'] LOOP
      EXECUTE format('CREATE FUNCTION evil.%I(a pg_catalog.%s) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $f$ BEGIN RETURN evil.spring(%L); END $f$', o, l, o);
    END LOOP;
  END LOOP;
  EXECUTE 'CREATE FUNCTION evil.string_agg(a pg_catalog.text, b pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS $f$ BEGIN RETURN evil.spring(''string_agg''); END $f$';
  EXECUTE 'CREATE FUNCTION evil.json_object_agg(a pg_catalog.name, b pg_catalog.json) RETURNS pg_catalog.json LANGUAGE plpgsql AS $f$ BEGIN RETURN evil.spring(''json_object_agg''); END $f$';
  FOREACH l IN ARRAY domains LOOP
    EXECUTE format('CREATE DOMAIN evil.%1$s AS pg_catalog.%1$s CHECK (evil.spring(''type %1$s''))', l);
  END LOOP;
  FOREACH l IN ARRAY ARRAY['pg_class', 'pg_namespace', 'pg_attribute', 'pg_index', 'pg_inherits', 'pg_trigger', 'pg_rewrite', 'pg_type', 'pg_database', 'pg_am', 'pg_constraint', 'pg_depend', 'pg_collation'] LOOP
    EXECUTE format('CREATE VIEW evil.%I AS SELECT evil.spring(''a catalogue'') AS trap', l);
  END LOOP;
END $do$;
CREATE OPERATOR CLASS evil.jsonb_path_ops FOR TYPE pg_catalog.jsonb USING gin AS
  OPERATOR 7 pg_catalog.@>(pg_catalog.jsonb, pg_catalog.jsonb),
  FUNCTION 1 pg_catalog.btint4cmp(pg_catalog.int4, pg_catalog.int4),
  FUNCTION 2 pg_catalog.gin_extract_jsonb_path(pg_catalog.jsonb, pg_catalog.internal, pg_catalog.internal),
  FUNCTION 3 pg_catalog.gin_extract_jsonb_query_path(pg_catalog.jsonb, pg_catalog.internal, pg_catalog.int2, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal),
  FUNCTION 4 pg_catalog.gin_consistent_jsonb_path(pg_catalog.internal, pg_catalog.int2, pg_catalog.jsonb, pg_catalog.int4, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal),
  STORAGE pg_catalog.int4;
CREATE COLLATION evil."C" FROM pg_catalog."POSIX";
`;

/** What depends on the schema `evil` without being part of it, as text: nothing ever should. */
export const ownedByHostileSchema = `
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS what
FROM pg_catalog.pg_depend d
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.oid = d.objid AND c.contypid <> 0)
  AND d.deptype = 'n' AND pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) ~ '\\mevil\\.'
  AND pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) !~ '\\mevil\\M'`;
