-- What was numbered before its turn, so that a window beyond it need not ask of each tree how far it is numbered.
-- +goose Up
-- The highest transaction of an event that has a number, or higher. From an older version all that is there counts as such.
ALTER TABLE log_head ADD COLUMN early bigint NOT NULL DEFAULT 0;
UPDATE log_head SET early = (SELECT coalesce(max(xid), 0) FROM events);
