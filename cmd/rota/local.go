package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// local opens the store of a folder that no node serves. A writer holds the folder's lock meanwhile; a reader reads
// beside whoever writes.
func local(ctx context.Context, t cli.Target, write bool) (rota.Service, io.Closer, error) {
	if err := noStoreHere(t.Data); err != nil {
		return nil, nil, err
	}
	if !write {
		embedded := filepath.Join(t.Data, storeFile)
		if _, err := os.Stat(embedded); err != nil && t.Store == embedded {
			return nil, nil, fmt.Errorf("%w: %s", fs.ErrNotExist, embedded)
		}
		store, err := sqlstore.Open(ctx, t.Store, sqlstore.Options{ReadOnly: true})
		if err != nil {
			return nil, nil, err
		}
		return over(store, t)
	}
	f, err := openFolder(t.Data)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, t.Store, sqlstore.Options{})
	if err != nil {
		f.close()
		return nil, nil, err
	}
	s, _, err := over(store, t)
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return s, closer(func() { store.Close(); f.close() }), nil
}

// over is a server over a store without a node. It closes the store when it cannot be.
func over(store *sqlstore.Store, t cli.Target) (rota.Service, io.Closer, error) {
	objects, err := openObjects(t.Blobs, t.Data, store.Shared(), store)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return server.New(store, server.Options{Objects: objects, Callers: true}), store, nil
}
