-- SQLite only, besides what is shared with postgres/: the indexes of cases that a long import has dropped. They are made again at its
-- end, or by whoever opens the database next (store/postpone.go).
-- +goose Up
CREATE TABLE postponed_indexes (
  name text PRIMARY KEY,
  sql  text NOT NULL                         -- what makes it
);
