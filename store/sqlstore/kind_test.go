package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// TestP8AnEngineThatDoesNotAnswerIsUnavailable: its own limit of time is the store's failure, which a node waits out. The
// caller's is the caller's.
func TestP8AnEngineThatDoesNotAnswerIsUnavailable(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := openPlace(t, emptyPlace(t, engine))
			late := fmt.Errorf("failed to connect: %w", context.DeadlineExceeded)
			err := s.write(t.Context(), "open session", func(*tx) error { return late })
			if !errors.Is(err, rota.ErrUnavailable) {
				t.Errorf("a transaction: %v", err)
			}
			ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
			defer cancel()
			err = s.query(ctx, func(*sql.Rows) error { return nil }, `SELECT 1`)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rota.ErrUnavailable) {
				t.Errorf("a caller without time: %v", err)
			}
		})
	}
}

// TestAStoreIsClosedWhileSomebodyReads: the read ends whole, or is told that the store is closed.
func TestAStoreIsClosedWhileSomebodyReads(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := openPlace(t, emptyPlace(t, engine))
			const readers = 4
			ended := make(chan error, readers)
			var reading sync.WaitGroup
			reading.Add(readers)
			for reader := range readers {
				go func() {
					reading.Done()
					for i := 0; ; i++ {
						q := fmt.Sprintf(`SELECT %d`, i*readers+reader) // each is another one, to be prepared
						if err := s.query(t.Context(), func(r *sql.Rows) error { return r.Scan(new(int)) }, q); err != nil {
							ended <- err
							return
						}
					}
				}()
			}
			reading.Wait()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for range readers {
				if err := <-ended; !errors.Is(err, rota.ErrUnavailable) {
					t.Errorf("a reader is told: %v", err)
				}
			}
		})
	}
}
