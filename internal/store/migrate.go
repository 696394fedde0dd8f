package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx" for goose
	"github.com/pressly/goose/v3"

	"github.com/province-comuni/sua/migrations"
)

// Migrate brings the schema up to this program's version. url is the owner's on PostgreSQL.
// It returns ErrNewer when the database is ahead, ErrGaps when it lacks numbers in the middle; then it changes nothing.
func Migrate(ctx context.Context, url string) (err error) {
	db, dialect, folder, err := openForGoose(url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if dialect == goose.DialectSQLite3 {
		if err := makeForgotten(ctx, db); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	sub, err := fs.Sub(migrations.FS, folder)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, sub)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return migrateError(err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, have, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return errors.Join(gaps(ctx, p, have), migrateError(err))
	}
	return nil
}

// gaps returns ErrGaps with the numbers when migrations older than the newest applied one are missing: a database made by a program in
// the making, whose migrations came in another order.
func gaps(ctx context.Context, p *goose.Provider, have int64) error {
	all, err := p.Status(ctx)
	if err != nil {
		return nil // the error of the migration itself says more
	}
	var missing []string
	for _, m := range all {
		if m.State == goose.StatePending && m.Source.Version < have {
			missing = append(missing, strconv.FormatInt(m.Source.Version, 10))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrGaps, strings.Join(missing, ", "))
}

// migrateError tells a role that may not migrate from the rest.
func migrateError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" { // insufficient_privilege
		return fmt.Errorf("%w: %w", ErrNotOwner, err)
	}
	return fmt.Errorf("migrate: %w", err)
}

func openForGoose(url string) (*sql.DB, goose.Dialect, string, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return nil, "", "", fmt.Errorf("migrate: %w", err)
		}
		db, err := sql.Open("sqlite", "file:"+path+sqlitePragmas)
		if err != nil {
			return nil, "", "", fmt.Errorf("migrate: %w", err)
		}
		db.SetMaxOpenConns(1)
		return db, goose.DialectSQLite3, "sqlite", nil
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, "", "", errors.New("migrate: the postgres address cannot be read")
	}
	return db, goose.DialectPostgres, "postgres", nil
}

// CheckRole refuses a PostgreSQL role for which the scope and the append-only history would not hold: a superuser, one
// with BYPASSRLS, or the owner of the tables. On SQLite it has nothing to say.
func (db *DB) CheckRole(ctx context.Context) error {
	if db.pool == nil {
		return nil
	}
	var strong, owner bool
	err := db.pool.QueryRow(ctx, `SELECT r.rolsuper OR r.rolbypassrls,
		EXISTS (SELECT FROM pg_tables WHERE tablename = 'events' AND schemaname = current_schema() AND tableowner = current_user)
		FROM pg_roles r WHERE r.rolname = current_user`).Scan(&strong, &owner)
	if err != nil {
		return fmt.Errorf("check the database role: %w", err)
	}
	if strong || owner {
		return errors.New("the database role may bypass the protection of the history: connect as sua_app")
	}
	return nil
}
