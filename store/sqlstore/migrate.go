package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/pressly/goose/v3"

	"github.com/rotaqueue/rota"
)

// The steps of the schema: those that are one text for all engines, and the engines' own. PostgreSQL begins with step 6.
//
//go:embed migrations
var migrations embed.FS

// Schema is the newest version of the schema that this binary knows: that of its last migration.
var Schema = newest()

func newest() int {
	files, err := steps("sqlite")
	if err != nil {
		panic("sqlstore: " + err.Error())
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		panic("sqlstore: no migrations")
	}
	n, err := strconv.Atoi(slices.Max(names)[:5])
	if err != nil {
		panic("sqlstore: " + err.Error())
	}
	return n
}

// steps are an engine's migrations: its own and those of all engines, in one folder.
func steps(engine string) (fs.FS, error) {
	own, err := fs.Sub(migrations, "migrations/"+engine)
	if err != nil {
		return nil, err
	}
	all, err := fs.Sub(migrations, "migrations/all")
	return layers{own, all}, err
}

// layers are folders that are seen as one.
type layers []fs.FS

func (l layers) Open(name string) (f fs.File, err error) {
	for _, layer := range l {
		if f, err = layer.Open(name); err == nil {
			break
		}
	}
	return f, err
}

func (l layers) ReadDir(name string) (all []fs.DirEntry, err error) {
	for _, layer := range l {
		some, err := fs.ReadDir(layer, name)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Fits refuses the store at a place if this binary is too old for it (P24). One that is not there, or that it would bring
// to its own schema, fits. It may be asked while another process serves the store.
func Fits(ctx context.Context, path string) error {
	if isPostgres(path) {
		e, err := openPostgres(ctx, path, Options{})
		if err != nil {
			return err
		}
		return newStore(path, e).fits(ctx)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e, err := openSQLite(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return newStore(path, e).fits(ctx)
}

func (s *Store) fits(ctx context.Context) error {
	defer s.engine.close()
	version, least, err := s.engine.schema(ctx)
	if err != nil {
		return s.classify(err)
	}
	return checkVersion(version, least)
}

// migrate brings a store to a version of the schema, each step in one transaction. A store that is ahead is left as it
// is and used, provided that it says it can be: a release only adds, and removes one release later (P24).
func migrate(ctx context.Context, e engine, db *sql.DB, dialect goose.Dialect, to int) error {
	version, least, err := e.schema(ctx)
	if err != nil {
		return err
	}
	if version >= to {
		return checkVersion(version, least)
	}
	files, err := steps(e.name())
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, int64(to))
	return err
}

// checkSchema refuses to read a store that this binary does not understand.
func (s *Store) checkSchema(ctx context.Context) error {
	version, least, err := s.engine.schema(ctx)
	if err != nil {
		return s.classify(err)
	}
	if version < Schema {
		return rota.Errorf(rota.ErrUnavailable, "store %s has schema %d and this rota wants %d", s.place, version, Schema).
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

// schemaOf reads the store's schema version, and the least one that a binary must know to use it; 0 when there is none yet.
func schemaOf(ctx context.Context, e engine, tables string) (version, least int, err error) {
	var found int
	err = e.read(ctx, func(r *sql.Rows) error { return r.Scan(&found) }, tables)
	if err != nil || found < 2 {
		return 0, 0, err
	}
	var text string
	err = e.read(ctx, func(r *sql.Rows) error { return r.Scan(&version, &text) },
		`SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version), (SELECT value FROM meta WHERE key = 'min_schema')`)
	if err != nil {
		return 0, 0, err
	}
	least, err = strconv.Atoi(text)
	return version, least, err
}
