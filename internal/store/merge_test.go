package store

import "testing"

func TestMergedKeepsOrderAndParameters(t *testing.T) {
	qs := []query{
		{sql: "INSERT INTO cases VALUES ($1)", args: []any{"c"}},
		{sql: "UPDATE cases SET state = $2 WHERE id = $1", args: []any{"a", "b"}, alone: true},
		{sql: "INSERT INTO events VALUES ($1, $2)", args: []any{1, 2}, alone: true},
		{sql: "INSERT INTO deadlines VALUES ($1)", args: []any{"d"}},
		{sql: "INSERT INTO outbox VALUES ($1, $10)", args: []any{"x"}, alone: true},
		{sql: "COMMIT"},
	}
	got := merged(qs)
	if len(got) != 4 || got[0].sql != qs[0].sql || got[2].sql != qs[3].sql || got[3].sql != "COMMIT" {
		t.Fatalf("order: %+v", got)
	}
	const want = "WITH w0 AS (UPDATE cases SET state = $2 WHERE id = $1), w1 AS (INSERT INTO events VALUES ($3, $4)) INSERT INTO outbox VALUES ($5, $14)"
	if got[1].sql != want || len(got[1].args) != 5 || got[1].args[2] != 1 {
		t.Errorf("merged: %s %v", got[1].sql, got[1].args)
	}
}

func TestOneOrManyAreLeftAsTheyAre(t *testing.T) {
	one := []query{{sql: "a", alone: true}, {sql: "COMMIT"}}
	if got := merged(one); len(got) != 2 || got[0].sql != "a" {
		t.Errorf("one: %+v", got)
	}
	many := make([]query, mergeMost+1)
	for i := range many {
		many[i] = query{sql: "a", alone: true}
	}
	if got := merged(many); len(got) != len(many) {
		t.Errorf("many: %d statements", len(got))
	}
}
