package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// local opens the store of a folder that no node serves. A writer holds the folder's lock meanwhile; a reader reads
// beside whoever writes.
func local(ctx context.Context, data string, write bool) (rota.Service, io.Closer, error) {
	db := filepath.Join(data, "rota.db")
	if !write {
		if _, err := os.Stat(db); err != nil {
			return nil, nil, fmt.Errorf("%w: %s", fs.ErrNotExist, db)
		}
		store, err := sqlstore.Open(ctx, db, sqlstore.Options{ReadOnly: true})
		if err != nil {
			return nil, nil, err
		}
		return server.New(store, server.Options{}), store, nil
	}
	f, err := openFolder(data)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{})
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return server.New(store, server.Options{}), closer(func() { store.Close(); f.close() }), nil
}
