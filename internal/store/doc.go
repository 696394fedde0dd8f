// Package store keeps everything in the database: PostgreSQL in production, SQLite in one file by default.
//
// It is the only package that knows SQL, gorm or pgx. It holds no rule of procurement: what may happen is decided by
// package engine, which asks for a snapshot of facts and hands back rows to write. Two ways in:
//
//   - Update, Create and Batch run a change in one transaction under the lock of the tree's root. They use hand-written
//     SQL, the same text for both databases, sent in as few round trips as the database allows (at most four on PostgreSQL).
//   - View and Admin serve lists, people and settings through gorm.
//
// Every call takes a Scope: the bodies whose cases the caller may touch. On PostgreSQL row-level security enforces it a
// second time. The schema comes from package migrations.
package store
