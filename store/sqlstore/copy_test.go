package sqlstore

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestP25CopyFromEachEngineToEach copies a store that has something of everything, and goes on with the copy.
func TestP25CopyFromEachEngineToEach(t *testing.T) {
	for _, from := range engines {
		for _, to := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				source := emptyPlace(t, from)
				s := openPlace(t, source)
				f := fill(t, s)
				before, who := portray(t, s), identity(t, s)
				for _, x := range tables {
					if n := s.rowCount(t, x.name); n == 0 {
						t.Errorf("the source has nothing in the table %s: this test does not copy it", x.name)
					}
				}
				s.Close()

				dest := emptyPlace(t, to)
				if _, err := Copy(t.Context(), source, dest, CopyOptions{}); !errors.Is(err, rota.ErrConflict) || rota.FixOf(err) == "" {
					t.Errorf("while tasks run: %v", err)
				}
				var steps []rota.CopyStep
				c, err := Copy(t.Context(), source, dest, CopyOptions{Lost: true, Step: func(s rota.CopyStep) { steps = append(steps, s) }})
				if err != nil {
					t.Fatal(err)
				}
				if c.Lost != 3 || c.Incarnation != 1 || c.Replaced != 0 || !slices.Equal(c.Nodes, []string{"n"}) || len(c.Tables) != len(tables)-1 {
					t.Errorf("%+v", c)
				}
				if len(steps) == 0 || steps[len(steps)-1].Rows > steps[0].Of {
					t.Errorf("steps %+v", steps)
				}
				s = openPlace(t, dest)
				if now := identity(t, s); now.ID == who.ID || bytes.Equal(now.Secret, who.Secret) || now.Incarnation != 1 {
					t.Errorf("%+v became %+v", who, now)
				}
				sameButRunning(t, f, before, portray(t, s))
				goesOnAsACopy(t, f, s)
				isSealedTo(t, source, c.To)
			})
		}
	}
}

func identity(t testing.TB, s *Store) rota.Identity {
	t.Helper()
	id, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *Store) rowCount(t testing.TB, table string) (n int) {
	t.Helper()
	if err := s.query(t.Context(), func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT count(*) FROM "`+table+`"`); err != nil {
		t.Fatal(err)
	}
	return n
}

// sameButRunning holds a copy to its source: all is as it was, but what ran.
func sameButRunning(t *testing.T, f *full, before, after portrait) {
	t.Helper()
	ran := []rota.TaskID{f.running, f.lost, f.never}
	for id, was := range before.Tasks {
		is := after.Tasks[id]
		if slices.Contains(ran, id) {
			if is.State == rota.Running || is.Number != was.Number || is.Outcome != rota.OutcomeLost || is.Crashes != 0 || is.Lost != was.Lost+1 {
				t.Errorf("%v ran as %+v\nand is %+v", id, was, is)
			}
			continue
		}
		if !reflect.DeepEqual(was, is) {
			t.Errorf("task %v was %+v\nand is %+v", id, was, is)
		}
		if !reflect.DeepEqual(before.Earlier[id], after.Earlier[id]) {
			t.Errorf("earlier attempts of %v: %+v\nand are %+v", id, before.Earlier[id], after.Earlier[id])
		}
	}
	if len(after.Tasks) != len(before.Tasks) || len(before.Output) != 4 {
		t.Errorf("%d tasks of %d, output %v", len(after.Tasks), len(before.Tasks), before.Output)
	}
	delete(before.Output, fmt.Sprint(f.running, 1, rota.Stdout)) // of an attempt that never ended
	for what, pair := range map[string][2]any{"output": {before.Output, after.Output}, "schedules": {before.Schedules, after.Schedules},
		"tokens": {before.Tokens, after.Tokens}, "input": {before.Input, after.Input}, "samples": {before.Samples, after.Samples}} {
		a, _ := json.Marshal(pair[0])
		b, _ := json.Marshal(pair[1])
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %s\nand is %s", what, a, b)
		}
	}
	if len(after.Jobs) != len(before.Jobs) || len(after.Queues) != len(before.Queues) || len(before.Samples.Points) == 0 {
		t.Errorf("%d jobs of %d, %d queues of %d, %d points", len(after.Jobs), len(before.Jobs), len(after.Queues), len(before.Queues), len(before.Samples.Points))
	}
}

// goesOnAsACopy lives on a copy: what was before is refused, and budgets hold.
func goesOnAsACopy(t *testing.T, f *full, s *Store) {
	t.Helper()
	ctx := t.Context()
	wholly := func() {
		t.Helper()
		if said, err := s.Verify(ctx); err != nil || len(said) > 0 {
			t.Errorf("%v, %v", said, err)
		}
	}
	wholly()
	f.Store = s
	oldIsRefused(t, f)
	l := begin(t, s, "after")
	const mil = rota.AttemptsOfIncarnation
	claim := func(queue string, attempt, failures, limit int) *rota.Assignment {
		t.Helper()
		a := l.next(queue)
		if a == nil || a.Attempt != attempt || a.Failures != failures || a.Limit != limit {
			t.Fatalf("%s: %+v; want attempt %d after %d failures, limit %d", queue, a, attempt, failures, limit)
		}
		return a
	}
	is := func(id rota.TaskID, want rota.State) {
		t.Helper()
		if task, _, err := s.Task(ctx, id); err != nil || task.State != want {
			t.Errorf("%v is %v, %v; want %v", id, task.State, err, want)
		}
	}
	// Two retries: one failed before, two more do.
	l.end(claim("failed", mil+2, 1, mil+3), rota.OutcomeFailed, 7)
	is(f.failed, rota.Ready)
	l.end(claim("failed", mil+3, 2, mil+3), rota.OutcomeFailed, 7)
	is(f.failed, rota.Failed)
	// Lost once and given back once before, lost with the copy, and may be lost no more; nothing of it was a failure.
	l.end(claim("lost", mil+4, 0, mil+5), rota.OutcomeFailed, 7)
	l.end(claim("lost", mil+5, 1, mil+5), rota.OutcomeLost, 0)
	is(f.lost, rota.Failed)
	is(f.never, rota.Failed)
	l.end(claim("running", mil+2, 0, mil+2), rota.OutcomeSucceeded, 0)
	is(f.waits, rota.Ready)
	// By hand there is a whole new budget.
	if _, err := s.Operate(ctx, rota.Operation{Act: rota.ActRetry, Filter: rota.Filter{Tasks: []rota.Span{{First: f.ended, Last: f.ended}}}}); err != nil {
		t.Fatal(err)
	}
	l.end(claim("ended", mil+2, 1, mil+2), rota.OutcomeFailed, 7)
	is(f.ended, rota.Failed)
	l.end(claim("home", mil+1, 0, mil+1), rota.OutcomeSucceeded, 0)
	fresh := l.submit(queue("fresh", 1))
	l.end(claim("fresh", mil+1, 0, mil+2), rota.OutcomeFailed, 1, rota.Chunk{Stream: rota.Stdout, Total: 3, Data: []byte("new")})
	l.end(claim("fresh", mil+2, 1, mil+2), rota.OutcomeSucceeded, 0)
	is(fresh, rota.Succeeded)
	if n := fresh.Job(); n != rota.JobID(s.maxJob(t)) {
		t.Errorf("the next job is %v", n)
	}
	for more := true; more; {
		swept, err := s.Sweep(ctx, rota.Sweep{What: rota.SweepOperate})
		l.must(err)
		more = swept.More
	}
	wholly()
	_, earlier, err := s.Task(ctx, f.failed)
	if err != nil || len(earlier) != 2 || earlier[0].Number != 1 || earlier[0].Node != "n" || earlier[1].Number != mil+2 {
		t.Errorf("earlier attempts %+v, %v", earlier, err)
	}
	out, err := s.Output(ctx, rota.OutputQuery{Task: f.failed, Attempt: 1, Stream: rota.Stdout})
	if err != nil || string(out.Data) != "first" {
		t.Errorf("output %q, %v", out.Data, err)
	}
	if tok, err := s.PutToken(ctx, rota.Token{Name: "u", Role: rota.RoleViewer, Hash: "def"}); err != nil || tok.ID < 2 {
		t.Errorf("token %+v, %v", tok, err)
	}
}

func (s *Store) maxJob(t testing.TB) (n int64) {
	t.Helper()
	if err := s.query(t.Context(), func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT max(id) FROM job`); err != nil {
		t.Fatal(err)
	}
	return n
}

// oldIsRefused tries what the node of the source would go on with.
func oldIsRefused(t *testing.T, f *full) {
	t.Helper()
	ctx := t.Context()
	zero := 0
	for _, id := range []rota.TaskID{f.running, f.lost, f.never} {
		task, _, err := f.Task(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		f.seq++
		x, err := f.Exchange(ctx, rota.Exchange{Session: f.session, Seq: f.seq, Finished: []rota.Finish{{Try: rota.Try{Task: id, Attempt: task.Number},
			Outcome: rota.OutcomeSucceeded, Exit: &zero}}})
		if !errors.Is(err, rota.ErrLeaseLost) && (err != nil || len(x.Refused) != 1) {
			t.Errorf("an end that the old node tells: %+v, %v", x, err)
		}
	}
	if _, err := f.Exchange(ctx, rota.Exchange{Session: f.session, Seq: f.seq + 1, Claim: rota.Claim{Max: 1}}); !errors.Is(err, rota.ErrLeaseLost) {
		t.Errorf("a claim: %v", err)
	}
	r, err := f.Renew(ctx, []rota.Renewal{{Session: f.session, Seq: f.seq}})
	if err != nil || !errors.Is(r[0].Err, rota.ErrLeaseLost) {
		t.Errorf("a renewal: %+v, %v", r, err)
	}
	_, err = f.OpenSession(ctx, rota.Opening{Session: f.session, Key: "k", Node: rota.Node{Name: "n"}})
	if !errors.Is(err, rota.ErrLeaseLost) {
		t.Errorf("opening the session again: %v", err)
	}
	if err := f.KeepOutput(ctx, rota.Try{Task: f.running, Attempt: 1}, []rota.Chunk{{Stream: rota.Stdout, Data: []byte("x")}}); !errors.Is(err, rota.ErrLeaseLost) {
		t.Errorf("keeping output: %v", err)
	}
}

// isSealedTo holds the source of a copy to its seal, and takes that off.
func isSealedTo(t *testing.T, source, to string) {
	t.Helper()
	ctx := t.Context()
	_, err := Open(ctx, source, Options{})
	if !errors.Is(err, rota.ErrUnavailable) || rota.FixOf(err) == "" || !bytes.Contains([]byte(err.Error()), []byte("copied to "+to)) {
		t.Errorf("opened although it is sealed: %v", err)
	}
	r, err := Open(ctx, source, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if jobs, err := r.Jobs(ctx, rota.JobQuery{}); err != nil || len(jobs) == 0 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
	r.Close()
	if _, err := Copy(ctx, source, filepath.Join(t.TempDir(), "again"), CopyOptions{Lost: true}); !errors.Is(err, rota.ErrUnavailable) {
		t.Errorf("copied twice: %v", err)
	}
	if was, err := Unseal(ctx, source); err != nil || was != to {
		t.Errorf("unseal: %q, %v", was, err)
	}
	if _, err := Unseal(ctx, source); !errors.Is(err, rota.ErrConflict) {
		t.Errorf("unsealed twice: %v", err)
	}
	s := openPlace(t, source)
	begin(t, s, "again").submit(queue("back", 0))
}
