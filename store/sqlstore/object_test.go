package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/objects/objectstest"
	"github.com/rotaqueue/rota/store/pgtest"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// TestObjects holds the bytes that the store itself keeps to the contract of those that keep bytes.
func TestObjects(t *testing.T) {
	objectstest.Run(t, func(t *testing.T) rota.Objects { return objectsAt(t, filepath.Join(t.TempDir(), "rota.db")) })
}

func TestObjectsPostgres(t *testing.T) {
	objectstest.Run(t, func(t *testing.T) rota.Objects { return objectsAt(t, pgtest.Shared(t).Schema(t)) })
}

func objectsAt(t *testing.T, place string) rota.Objects {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), place, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Objects()
}
