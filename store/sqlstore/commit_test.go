package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "rota.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// together makes calls that all wait before the first is done, in this order, and are then free to go.
func (s *Store) together(calls ...func()) (free func()) {
	writers := s.commits.all(s.writers)
	var work sync.WaitGroup
	for i, call := range calls {
		work.Go(call)
		for s.commits.count() <= i {
		}
	}
	return func() {
		for _, w := range writers {
			if !s.commits.put(w) {
				s.work(&s.commits, w)
			}
		}
		work.Wait()
	}
}

func (c *commits) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

func (s *Store) forTest(t *testing.T, q string) {
	t.Helper()
	if err := s.write(context.Background(), "prepare", func(t *tx) error { _, err := t.exec(q); return err }); err != nil {
		t.Fatal(err)
	}
}

func named(name string) []rota.NewJob {
	jobs := plain(1, "")
	jobs[0].Spec.Name = name
	return jobs
}

func (s *Store) names(t *testing.T) (names []string) {
	t.Helper()
	jobs, err := s.Jobs(context.Background(), rota.JobQuery{Max: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		names = append(names, j.Spec.Name)
	}
	return names
}

// TestP6OnlyTheCulpritFails has writes of all kinds in one commit, of which some fail in each way: alone, and so that
// the engine undoes the whole transaction.
func TestP6OnlyTheCulpritFails(t *testing.T) {
	for _, how := range []string{"ABORT", "ROLLBACK"} {
		t.Run(how, func(t *testing.T) {
			s := openTest(t)
			s.forTest(t, `CREATE TRIGGER cursed BEFORE INSERT ON job WHEN NEW.name LIKE 'bad%' BEGIN SELECT RAISE(`+how+`, 'cursed'); END`)
			s.forTest(t, `CREATE TABLE mark (n INTEGER)`)
			const n = 24
			errs := make([]error, n)
			ids := make([]rota.JobID, n)
			var calls []func()
			for i := range n {
				name := fmt.Sprint("good", i)
				if i%5 == 3 {
					name = fmt.Sprint("bad", i)
				}
				calls = append(calls, func() {
					if i%2 == 0 {
						errs[i] = s.write(context.Background(), "mark", func(t *tx) error {
							_, err := t.exec(`INSERT INTO mark VALUES (?1)`, i)
							if err == nil && i%5 == 3 {
								_, err = t.exec(`INSERT INTO job SELECT 1, 'bad'` + nothing(25))
							}
							return err
						})
						return
					}
					var got []rota.SubmitResult
					if got, errs[i] = s.Submit(context.Background(), named(name)); errs[i] == nil {
						ids[i] = got[0].Job
					}
				})
			}
			s.together(calls...)()
			var marked []int
			for i, err := range errs {
				if bad := i%5 == 3; bad != errors.Is(err, rota.ErrInternal) || !bad && err != nil {
					t.Errorf("call %d: %v", i, err)
				}
				if i%2 == 0 && err == nil {
					marked = append(marked, i)
				}
			}
			for i, id := range ids {
				if id == 0 {
					continue
				}
				if j, err := s.Job(context.Background(), id); err != nil || j.Spec.Name != fmt.Sprint("good", i) {
					t.Errorf("job %v of call %d: %q, %v", id, i, j.Spec.Name, err)
				}
			}
			if len(s.names(t)) != 9 {
				t.Errorf("jobs: %v", s.names(t))
			}
			var count, sum int
			if err := s.engine.(*sqlite).readers.QueryRow(`SELECT count(*), sum(n) FROM mark`).Scan(&count, &sum); err != nil || count != len(marked) {
				t.Errorf("%d marks, %v; want %v", count, err, marked)
			}
			if wrong, err := s.Verify(context.Background()); err != nil || len(wrong) > 0 {
				t.Errorf("verify: %v, %v", wrong, err)
			}
		})
	}
}

func nothing(n int) (s string) {
	for range n {
		s += ", 0"
	}
	return s
}

// TestP6CancelledCallerLeavesTheOthers cancels one that waits, one that leads, and one that is told to lead.
func TestP6CancelledCallerLeavesTheOthers(t *testing.T) {
	s := openTest(t)
	ctx, cancel := context.WithCancel(context.Background())
	var errs [4]error
	submit := func(i int, ctx context.Context) func() {
		return func() { _, errs[i] = s.Submit(ctx, named(fmt.Sprint(i))) }
	}
	free := s.together(submit(0, context.Background()), submit(1, ctx), submit(2, context.Background()), submit(3, ctx))
	cancel()
	for s.commits.count() > 2 {
	}
	free()
	if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], context.Canceled) || !errors.Is(errs[3], context.Canceled) {
		t.Errorf("%v", errs)
	}
	if names := s.names(t); len(names) != 2 || names[0] != "2" || names[1] != "0" {
		t.Errorf("jobs: %v", names)
	}
	if _, err := s.Submit(ctx, named("gone")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v", err)
	}
	for i := range 200 { // one that goes away just when its turn comes hands it on
		ctx, cancel := context.WithCancel(context.Background())
		var gone, stayed error
		free := s.together(submit(0, context.Background()), func() { gone = s.write(ctx, "go", func(*tx) error { return nil }) },
			func() { stayed = s.write(context.Background(), "stay", func(*tx) error { return nil }) })
		go cancel()
		free()
		if gone != nil && !errors.Is(gone, context.Canceled) || stayed != nil || errs[0] != nil {
			t.Fatalf("round %d: %v, %v, %v", i, errs[0], gone, stayed)
		}
	}
}

// TestP18CommitIsBounded leaves what does not fit for the next commit (P18).
func TestP18CommitIsBounded(t *testing.T) {
	s := openTest(t)
	s.forTest(t, `CREATE TABLE mark (n INTEGER)`)
	for _, c := range []struct{ writes, rows, commits int }{{s.engine.together(), 1, 1}, {s.engine.together() + 1, 1, 2}, {4, commitRows / 2, 2}, {3, commitRows, 3}} {
		var calls []func()
		for range c.writes {
			calls = append(calls, func() {
				s.write(context.Background(), "mark", func(t *tx) error {
					_, err := t.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO mark SELECT i FROM n`, c.rows)
					return err
				})
			})
		}
		before := s.commits.made
		s.together(calls...)()
		if n := s.commits.made - before; n != c.commits {
			t.Errorf("%d writes of %d rows: %d commits, want %d", c.writes, c.rows, n, c.commits)
		}
	}
}

// TestUpkeepDelaysNobody: a step of upkeep begins a commit.
func TestUpkeepDelaysNobody(t *testing.T) {
	s := openTest(t)
	write := func() { s.write(context.Background(), "mark", func(*tx) error { return nil }) }
	upkeep := func() { s.Sweep(context.Background(), rota.Sweep{What: rota.SweepMake}) }
	before := s.commits.made
	s.together(write, write, upkeep, write, upkeep)()
	if n := s.commits.made - before; n != 3 {
		t.Errorf("%d commits, want 3: before each step of upkeep one ends", n)
	}
}

func TestCloseRefusesWhatWaits(t *testing.T) {
	s := openTest(t)
	var err error
	free := s.together(func() { _, err = s.Submit(context.Background(), named("late")) })
	s.closed.Store(true)
	free()
	s.closed.Store(false)
	if !errors.Is(err, rota.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
