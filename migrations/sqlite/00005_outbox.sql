-- SQLite. The outbox is a queue: a message leaves it in the transaction that makes it into notices. Marking it as sent
-- instead wrote the row and two indexes again for each message, and made every transition pay for the index of the unsent ones.
-- +goose Up
DELETE FROM outbox WHERE sent_at IS NOT NULL;
DROP INDEX outbox_unsent;
ALTER TABLE outbox DROP COLUMN sent_at;
