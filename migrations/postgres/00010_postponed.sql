-- Nothing here: postponed_indexes is SQLite's alone. The number is kept, so that both dialects have the same version.
-- +goose Up
SELECT 1;
