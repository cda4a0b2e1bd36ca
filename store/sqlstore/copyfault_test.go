package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestP25ACopyThatIsInterruptedLeavesNothing interrupts a copy at several places, and begins it again.
func TestP25ACopyThatIsInterruptedLeavesNothing(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			source, dest := emptyPlace(t, "sqlite"), emptyPlace(t, engine)
			s := openPlace(t, source)
			fill(t, s)
			s.Close()
			for _, checking := range []bool{false, true} {
				ctx, stop := context.WithCancel(t.Context())
				_, err := Copy(ctx, source, dest, CopyOptions{Lost: true, Step: func(s rota.CopyStep) {
					if s.Checking == checking {
						stop()
					}
				}})
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("checking %v: %v", checking, err)
				}
				isEmpty(t, dest)
				openPlace(t, source).Close() // it is in use again
			}
			if _, err := Copy(t.Context(), source, dest, CopyOptions{Lost: true}); err != nil {
				t.Fatal(err)
			}
			openPlace(t, dest)
		})
	}
}

// isEmpty holds a place to have nothing of a store.
func isEmpty(t *testing.T, place string) {
	t.Helper()
	if !isPostgres(place) {
		left, _ := filepath.Glob(place + "*")
		if len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		return
	}
	e, err := openPostgres(t.Context(), place, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	var left []string
	err = e.read(t.Context(), func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		left = append(left, name)
		return err
	}, `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace UNION ALL
		SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace`)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestP25AKilledCopyIsNoStore kills a copy, as far as its connections go, before and after its rows are stored: nobody
// can use what it left, and another begins anew.
func TestP25AKilledCopyIsNoStore(t *testing.T) {
	for _, engine := range engines {
		for _, stored := range []bool{false, true} {
			t.Run(engine, func(t *testing.T) {
				ctx := t.Context()
				source, dest := emptyPlace(t, "sqlite"), emptyPlace(t, engine)
				s := openPlace(t, source)
				fill(t, s)
				if _, err := s.sealFor(ctx, dest, true); err != nil {
					t.Fatal(err)
				}
				left := half(t, s, dest, stored)
				s.Close()

				if _, err := Open(ctx, source, Options{}); !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "has not ended") {
					t.Errorf("the source: %v", err)
				}
				for _, o := range []Options{{}, {ReadOnly: true}} {
					if _, err := Open(ctx, left, o); !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "not whole") {
						t.Errorf("what is left, %+v: %v", o, err)
					}
				}
				c, err := Copy(ctx, source, dest, CopyOptions{Lost: true})
				if err != nil || c.Incarnation != 1 {
					t.Fatalf("%+v, %v", c, err)
				}
				if said, err := openPlace(t, dest).Verify(ctx); err != nil || len(said) > 0 {
					t.Errorf("%v, %v", said, err)
				}
			})
		}
	}
}

// half copies some or all rows and goes away without a word. It returns where what is left could be opened.
func half(t *testing.T, s *Store, place string, stored bool) (left string) {
	t.Helper()
	dest, err := newTarget(t.Context(), place, Schema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newTarget(t.Context(), place, Schema); !errors.Is(err, rota.ErrConflict) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two at once: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, _, err = transfer(ctx, s.engine, dest, nil, func(rota.CopyStep) {
		if !stored {
			stop()
		}
	})
	if (err == nil) != stored {
		t.Fatal(err)
	}
	if stored {
		if err := dest.keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	switch d := dest.(type) {
	case *sqliteTarget:
		d.shut()
		d.lock.Close()
	case *postgresTarget:
		for _, conn := range []*sql.Conn{d.filler, d.lock} {
			if conn != nil {
				letGo(conn)
			}
		}
		d.postgres.close()
	}
	return dest.place()
}

// TestP25WhatIsThereIsNotWrittenOver copies to places that have something.
func TestP25WhatIsThereIsNotWrittenOver(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			source, dest := emptyPlace(t, "sqlite"), emptyPlace(t, engine)
			openPlace(t, source).Close()
			begin(t, openPlace(t, dest), "s").submit(queue("mine", 0))
			if _, err := Copy(t.Context(), source, dest, CopyOptions{}); !errors.Is(err, rota.ErrConflict) || rota.FixOf(err) == "" {
				t.Errorf("%v", err)
			}
			if jobs, err := openPlace(t, dest).Jobs(t.Context(), rota.JobQuery{}); err != nil || len(jobs) != 1 {
				t.Errorf("%d jobs, %v", len(jobs), err)
			}
			openPlace(t, source)
		})
	}
	if _, err := Copy(t.Context(), filepath.Join(t.TempDir(), "none"), emptyPlace(t, "sqlite"), CopyOptions{}); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("a source that is not there: %v", err)
	}
	if _, err := Copy(t.Context(), emptyPlace(t, "postgres"), emptyPlace(t, "sqlite"), CopyOptions{}); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("a database without a store: %v", err)
	}
	dest := filepath.Join(t.TempDir(), "no", "folder")
	source := emptyPlace(t, "sqlite")
	openPlace(t, source).Close()
	if _, err := Copy(t.Context(), source, dest, CopyOptions{}); !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) == "" {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestP25NothingIsWrittenAfterTheSeal copies a database while servers write to it: what was acknowledged is in the copy,
// and what is not in the copy was refused.
func TestP25NothingIsWrittenAfterTheSeal(t *testing.T) {
	source := emptyPlace(t, "postgres")
	first := openPlace(t, source)
	fill(t, first)
	var (
		work    sync.WaitGroup
		mu      sync.Mutex
		stored  []rota.JobID
		refused []error
		warm    = make(chan struct{}, 100)
	)
	for i := range 8 {
		s := first
		if i%2 == 1 {
			s = openPlace(t, source)
		}
		work.Go(func() {
			for {
				r, err := s.Submit(context.Background(), named("live"))
				mu.Lock()
				if err != nil {
					refused = append(refused, err)
					mu.Unlock()
					return
				}
				stored = append(stored, r[0].Job)
				mu.Unlock()
				select {
				case warm <- struct{}{}:
				default:
				}
			}
		})
	}
	for range cap(warm) {
		<-warm
	}
	dest := emptyPlace(t, "sqlite")
	c, err := Copy(t.Context(), source, dest, CopyOptions{Lost: true})
	if err != nil {
		t.Fatal(err)
	}
	work.Wait()
	for _, err := range refused {
		if !errors.Is(err, rota.ErrUnavailable) || !strings.Contains(err.Error(), "sealed") {
			t.Errorf("refused: %v", err)
		}
	}
	s := openPlace(t, dest)
	var there []rota.JobID
	for before := rota.JobID(0); ; {
		jobs, err := s.Jobs(t.Context(), rota.JobQuery{Filter: rota.Filter{Name: "live"}, Before: before, Max: 500})
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			there = append(there, j.ID)
		}
		before = jobs[len(jobs)-1].ID
	}
	slices.Sort(stored)
	slices.Sort(there)
	if !slices.Equal(stored, there) || len(stored) < cap(warm) {
		t.Errorf("%d jobs were acknowledged, %d are in the copy: %+v", len(stored), len(there), c)
	}
	if said, err := s.Verify(t.Context()); err != nil || len(said) > 0 {
		t.Errorf("%v, %v", said, err)
	}
}

// TestP25TextsThatPostgresCannotStore copies texts that only SQLite can store.
func TestP25TextsThatPostgresCannotStore(t *testing.T) {
	source, dest := emptyPlace(t, "sqlite"), emptyPlace(t, "postgres")
	s := openPlace(t, source)
	l := begin(t, s, "s")
	l.submit(queue("q", 0))
	s.forTest(t, `UPDATE job SET reason = CAST(x'41ff0042' AS TEXT)`)
	s.Close()
	file := filepath.Join(t.TempDir(), "backup")
	if _, err := CreateBackup(t.Context(), source, file, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyBackup(t.Context(), file, nil); err != nil {
		t.Error(err)
	}
	c, err := RestoreBackup(t.Context(), file, dest, nil)
	if err != nil || c.Replaced != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if jobs, err := openPlace(t, dest).Jobs(t.Context(), rota.JobQuery{}); err != nil || len(jobs) != 1 || jobs[0].Reason != "A\uFFFD\uFFFDB" {
		t.Errorf("%+v, %v", jobs, err)
	}
	if _, err := os.Stat(file + ".partial"); err == nil {
		t.Error("the folder in which the backup was made is left")
	}
}
