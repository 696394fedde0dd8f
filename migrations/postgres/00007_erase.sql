-- PostgreSQL. The erasure of personal data: the one way in which a row of the history changes.
-- +goose Up
-- It empties the personal parts that an erasure names, in the transaction that writes the erasure into the history, and nothing
-- else. It runs with the rights of the owner: sua_app may not change events itself.
-- +goose StatementBegin
CREATE FUNCTION erase_personal(tree text, erasure bigint, parts bigint[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE emptied bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM events e WHERE e.root = tree AND e.seq = erasure AND e.event = 'erase'
    AND e.xid = pg_current_xact_id()::text::bigint AND convert_from(e.open_body, 'UTF8')::jsonb->'erased' @> to_jsonb(parts)) THEN
    RAISE EXCEPTION 'no erasure of this transaction names these events';
  END IF;
  UPDATE events SET personal_salt = NULL, personal_body = NULL WHERE root = tree AND seq = ANY(parts) AND seq < erasure;
  GET DIAGNOSTICS emptied = ROW_COUNT;
  RETURN emptied;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION erase_personal(text, bigint, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_personal(text, bigint, bigint[]) TO sua_app;
