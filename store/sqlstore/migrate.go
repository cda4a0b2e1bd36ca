package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the newest version of the schema that this binary knows: that of its last migration.
var Schema = newest()

func newest() int {
	files, err := migrations.ReadDir("migrations")
	if err != nil || len(files) == 0 {
		panic("sqlstore: no migrations")
	}
	n, err := strconv.Atoi(files[len(files)-1].Name()[:5])
	if err != nil {
		panic("sqlstore: " + err.Error())
	}
	return n
}

// Fits refuses the store at a path if this binary is too old for it (P24). One that is not there, or that it would bring
// to its own schema, fits. It may be asked while another process serves the store.
func Fits(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := &Store{path: path}
	db, err := openSQLite(path, sqliteReader, 1)
	if err != nil {
		return s.classify(err)
	}
	defer db.Close()
	version, least, err := schemaOf(ctx, db)
	if err != nil {
		return s.classify(err)
	}
	return checkVersion(version, least)
}

// migrate brings a store to this binary's schema, each step in one transaction. A store that is ahead is left as it
// is and used, provided that it says it can be: a release only adds, and removes one release later (P24).
func migrate(ctx context.Context, db *sql.DB) error {
	version, least, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	if version >= Schema {
		return checkVersion(version, least)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// checkSchema refuses to read a store that this binary does not understand.
func (s *Store) checkSchema(ctx context.Context) error {
	version, least, err := schemaOf(ctx, s.read)
	if err != nil {
		return s.classify(err)
	}
	if version < Schema {
		return rota.Errorf(rota.ErrUnavailable, "store %s has schema %d and this rota wants %d", s.path, version, Schema).
			WithFix("rota up")
	}
	return checkVersion(version, least)
}

func checkVersion(version, least int) error {
	if least > Schema {
		return rota.Errorf(rota.ErrUnsupported, "the store has schema %d, which this rota %s (schema %d) is too old for",
			version, rota.Version, Schema).WithFix("install the release that wrote it, or a newer one")
	}
	return nil
}

// schemaOf reads the store's schema version, and the least one that a binary must know to use it.
func schemaOf(ctx context.Context, db *sql.DB) (version, least int, err error) {
	var tables int
	row := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name IN ('goose_db_version', 'meta')`)
	if err := row.Scan(&tables); err != nil || tables < 2 {
		return 0, 0, err
	}
	var min string
	err = db.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version),
		(SELECT value FROM meta WHERE key = 'min_schema')`).Scan(&version, &min)
	if err != nil {
		return 0, 0, err
	}
	least, err = strconv.Atoi(min)
	return version, least, err
}
