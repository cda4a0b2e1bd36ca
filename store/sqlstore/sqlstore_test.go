package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/sqlstore"
	"github.com/rotaqueue/rota/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string, clock *storetest.Clock) rota.Store {
		s, err := sqlstore.Open(context.Background(), filepath.Join(dir, "rota.db"), sqlstore.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
