package measure

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rotaqueue/rota/store/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestNodesEmptyAQueueOnBothEngines(t *testing.T) {
	server := pgtest.Shared(t).Root()
	for name, b := range map[string]*bench{
		"embedded":   {Options: Options{Slots: 4}},
		"PostgreSQL": {Options: Options{Slots: 4, Store: server}},
	} {
		t.Run(name, func(t *testing.T) {
			b.dir = t.TempDir()
			nodes := 1
			if b.Store != "" {
				nodes = 8
			}
			if rate, err := b.emptyQueue(t.Context(), 640, nodes); err != nil || rate <= 0 {
				t.Errorf("%v a second: %v", rate, err)
			}
		})
	}
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var left int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'rota_bench%'").Scan(&left); err != nil || left > 0 {
		t.Errorf("%d databases are left: %v", left, err)
	}
}
