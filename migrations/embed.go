// Package migrations holds the schema as numbered SQL files, one folder a dialect, for goose.
//
// It is data only: package store runs it. Both folders must give the same tables and columns; a test of store compares them.
package migrations

import "embed"

// FS holds postgres/*.sql and sqlite/*.sql.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
