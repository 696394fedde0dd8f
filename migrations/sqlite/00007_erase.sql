-- SQLite. The erasure of personal data: the one way in which a row of the history changes. There are no roles here: the trigger lets
-- through only an update that empties a personal part named by an erasure of the same tree.
-- +goose Up
DROP TRIGGER events_no_update;
-- +goose StatementBegin
CREATE TRIGGER events_no_update BEFORE UPDATE ON events WHEN NOT (
  new.personal_salt IS NULL AND new.personal_body IS NULL AND old.personal_salt IS NOT NULL
  AND new.root IS old.root AND new.seq IS old.seq AND new.case_id IS old.case_id AND new.member_body IS old.member_body AND new.sua IS old.sua
  AND new.event IS old.event AND new.at IS old.at AND new.effective IS old.effective AND new.actor IS old.actor AND new.header IS old.header
  AND new.hash IS old.hash AND new.open_salt IS old.open_salt AND new.open_body IS old.open_body AND new.secret_salt IS old.secret_salt
  AND new.secret_body IS old.secret_body AND new.xid IS old.xid
  AND EXISTS (SELECT 1 FROM events e, json_each(CAST(e.open_body AS text), '$.erased') part
    WHERE e.root = old.root AND e.event = 'erase' AND e.seq > old.seq AND part.value = old.seq)
) BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
-- +goose StatementEnd
