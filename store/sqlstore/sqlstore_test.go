package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
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

// TestContractPostgres holds PostgreSQL to the same contract.
func TestContractPostgres(t *testing.T) { storetest.Run(t, onPostgres()) }

// TestSharedPostgres has several stores write to one database at once.
func TestSharedPostgres(t *testing.T) { storetest.RunShared(t, onPostgres()) }

// onPostgres opens stores of the shared server: of the same folder, in the same schema.
func onPostgres() storetest.Opener {
	databases := map[string]string{}
	return func(t *testing.T, dir string, clock *storetest.Clock) rota.Store {
		if databases[dir] == "" {
			databases[dir] = pgtest.Shared(t).Schema(t)
		}
		s, err := sqlstore.Open(context.Background(), databases[dir], sqlstore.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}
