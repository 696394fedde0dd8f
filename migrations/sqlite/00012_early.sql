-- As for PostgreSQL, which goes by it (postgres/00012). Here it stays 0: the window is one of rows.
-- +goose Up
ALTER TABLE log_head ADD COLUMN early integer NOT NULL DEFAULT 0;
