-- Everything the harness needs to know of a database, in one message: see catalog.py for the shapes.
-- What rows can be read from, with their columns, foreign keys and unique indexes.
SELECT json_build_object(
  'schema', n.nspname,
  'table', c.relname,
  'oid', c.oid,
  'kind', c.relkind,
  'width', c.relnatts,
  'temporary', c.relpersistence = 't',
  'partition', c.relispartition,
  'primary', (
    SELECT json_agg(a.attname ORDER BY u.place)
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY u(number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
    WHERE i.indrelid = c.oid AND i.indisprimary AND u.place <= i.indnkeyatts),
  'columns', (
    SELECT coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, NULL),
      'base', format_type(coalesce(b.oid, t.oid), NULL),
      'category', coalesce(b.typcategory, t.typcategory),
      'modifier', CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
      'labels', (
        SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = coalesce(b.oid, t.oid)),
      'required', a.attnotnull OR t.typnotnull,
      'default', a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
      'always', a.attidentity = 'a',
      'sequence', coalesce(
        (SELECT d.objid::regclass::text  -- serial and identity: the sequence depends on the column
         FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
         WHERE d.classid = 'pg_class'::regclass AND d.refobjid = c.oid
           AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i') LIMIT 1),
        (SELECT d.refobjid::regclass::text  -- a default of nextval() depends on its sequence
         FROM pg_attrdef f
         JOIN pg_depend d ON d.objid = f.oid AND d.classid = 'pg_attrdef'::regclass
         JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
         WHERE f.adrelid = c.oid AND f.adnum = a.attnum LIMIT 1))
    ) ORDER BY a.attnum), '[]')
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'foreign_keys', (
    SELECT coalesce(json_agg(json_build_object(
      'name', k.conname,
      'columns', (
        SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
      'target', json_build_array(rn.nspname, r.relname),
      'target_columns', (
        SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number),
      'deferrable', k.condeferrable,
      'deferred', k.condeferred
    ) ORDER BY k.conname), '[]')
    FROM pg_constraint k
    JOIN pg_class r ON r.oid = k.confrelid
    JOIN pg_namespace rn ON rn.oid = r.relnamespace
    -- of a partitioned target there is one more for each partition: only the written one counts
    WHERE k.conrelid = c.oid AND k.contype = 'f'
      AND (k.conparentid = 0 OR k.conrelid <> (
        SELECT p.conrelid FROM pg_constraint p WHERE p.oid = k.conparentid))),
  'unique', (
    SELECT coalesce(json_agg((
      SELECT json_agg(a.attname ORDER BY a.attnum)
      FROM pg_attribute a
      WHERE a.attrelid = c.oid AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
        SELECT FROM pg_depend d  -- an expression depends on the columns in it
        WHERE i.indexprs IS NOT NULL AND d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))), '[]')
    FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique)
)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname <> 'information_schema'
  AND (n.nspname !~ '^pg_' OR n.oid = pg_my_temp_schema())
ORDER BY n.nspname, c.relname;
-- Temporary tables come last: what a spec names is the database's own table, if there is one.
SELECT nspname FROM unnest(current_schemas(true)) WITH ORDINALITY s(nspname, place)
WHERE nspname <> 'pg_catalog' ORDER BY nspname ~ '^pg_temp', place;
SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid >= 16384;
SELECT c.oid, d.last_value, d.is_called, c.oid::regclass
FROM pg_class c, pg_get_sequence_data(c.oid) d WHERE c.relkind = 'S' ORDER BY c.oid;
SELECT extname FROM pg_extension;
SHOW server_version;
-- Who reads, how names are found and values printed: what a spec sets itself must not change what is read of it.
SELECT name, CASE name WHEN 'session_authorization' THEN session_user ELSE current_setting(name) END
FROM unnest(ARRAY[
  'session_authorization', 'role', 'search_path', 'DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output',
  'extra_float_digits', 'lc_monetary', 'xmlbinary']) name;
SELECT EXISTS (SELECT FROM pg_constraint WHERE condeferrable);
-- A name may stand for several constraints, of which one cannot be deferred: then none can by name.
SELECT DISTINCT format('%I.%I', n.nspname, k.conname)
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
WHERE k.contype = 't' AND k.condeferred AND NOT EXISTS (
  SELECT FROM pg_constraint o
  WHERE o.conname = k.conname AND o.connamespace = k.connamespace AND NOT o.condeferrable)
