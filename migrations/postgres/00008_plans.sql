-- PostgreSQL. What goes on, and whose it is: lapsed terms are looked for there, not among those of all years (docs/scale.md).
-- +goose Up
-- A mere move changes none of these columns.
CREATE INDEX cases_going ON cases (member_body, sua, id) WHERE outcome = '';
