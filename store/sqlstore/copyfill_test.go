package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/pgtest"
)

var engines = []string{"sqlite", "postgres"}

// emptyPlace is a place that has nothing.
func emptyPlace(t testing.TB, engine string) string {
	if engine == "postgres" {
		return pgtest.Shared(t).Database(t)
	}
	return filepath.Join(t.TempDir(), "rota.db")
}

func openPlace(t testing.TB, place string) *Store {
	t.Helper()
	s, err := Open(context.Background(), place, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// life is a node that lives on a store.
type life struct {
	*Store
	t       testing.TB
	session rota.SessionID
	seq     int64
}

func begin(t testing.TB, s *Store, session rota.SessionID) *life {
	t.Helper()
	l := &life{Store: s, t: t, session: session}
	_, err := s.OpenSession(t.Context(), rota.Opening{Session: session, Key: "k", Sole: true, Node: rota.Node{Name: "n", State: rota.NodeUp, Slots: 4}})
	l.must(err)
	return l
}

func (l *life) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) submit(change func(*rota.NewJob)) rota.TaskID {
	l.t.Helper()
	jobs := plain(1, "")
	change(&jobs[0])
	got, err := l.Submit(l.t.Context(), jobs)
	l.must(err)
	l.must(got[0].Err)
	for more := true; more; {
		swept, err := l.Sweep(l.t.Context(), rota.Sweep{What: rota.SweepMake})
		l.must(err)
		more = swept.More
	}
	return rota.PlainTask(got[0].Job)
}

func queue(name string, retries int) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.Queue, j.Spec.Name, j.Retry.Count = name, name, &retries }
}

// next claims the next task of a queue; nil: there is none.
func (l *life) next(queue string) *rota.Assignment {
	l.t.Helper()
	l.seq++
	x, err := l.Exchange(l.t.Context(), rota.Exchange{Session: l.session, Seq: l.seq, Claim: rota.Claim{Max: 1, Queues: []string{queue}}})
	l.must(err)
	if len(x.Claimed) == 0 {
		return nil
	}
	return &x.Claimed[0]
}

func (l *life) end(a *rota.Assignment, o rota.Outcome, exit int, output ...rota.Chunk) {
	l.t.Helper()
	l.seq++
	f := rota.Finish{Try: a.Try, Outcome: o, RetryIn: 1, Output: output, StartedAgo: 2000, EndedAgo: 1000}
	if o == rota.OutcomeSucceeded || o == rota.OutcomeFailed {
		f.Exit = &exit
	}
	x, err := l.Exchange(l.t.Context(), rota.Exchange{Session: l.session, Seq: l.seq, Finished: []rota.Finish{f}})
	l.must(err)
	if len(x.Refused) > 0 {
		l.t.Fatalf("%s of %v was refused: %s", o, a.Try, x.Refused[0].Why)
	}
	if o == rota.OutcomeFailed {
		l.promote()
	}
}

// promote makes ready what waits for its next attempt.
func (l *life) promote() {
	l.t.Helper()
	for {
		s, err := l.Sweep(l.t.Context(), rota.Sweep{What: rota.SweepPromote})
		l.must(err)
		if s.Moved == 0 && (s.Next.IsZero() || s.Next.After(s.Now.Add(time.Minute))) {
			return
		}
	}
}

// full is a store with something in every table, and what of it a test asks for.
type full struct {
	*life
	kept, failed, running, never, ended, lost, waits rota.TaskID
}

func fill(t testing.TB, s *Store) *full {
	f := &full{life: begin(t, s, "before")}
	f.kept = f.submit(queue("kept", 0))
	f.end(f.next("kept"), rota.OutcomeSucceeded, 0, rota.Chunk{Stream: rota.Stdout, Total: 6, Data: []byte("a\x00\xff\xfe\nb")},
		rota.Chunk{Stream: rota.Stderr, Data: []byte{}})
	f.failed = f.submit(queue("failed", 2))
	f.end(f.next("failed"), rota.OutcomeFailed, 7, rota.Chunk{Stream: rota.Stdout, Total: 5, Data: []byte("first")})
	f.ended = f.submit(queue("ended", 0))
	f.end(f.next("ended"), rota.OutcomeFailed, 8)
	f.lost = f.submit(func(j *rota.NewJob) { queue("lost", 1)(j); j.Retry.MaxLost = new(int); *j.Retry.MaxLost = 2 })
	f.end(f.next("lost"), rota.OutcomeLost, 0)
	f.end(f.next("lost"), rota.OutcomeReturned, 0)
	f.next("lost") // it runs
	f.running = f.submit(queue("running", 0))
	a := f.next("running")
	f.must(f.KeepOutput(t.Context(), a.Try, []rota.Chunk{{Stream: rota.Stdout, Total: 3, Data: []byte("so ")}}))
	_, err := s.Look(t.Context(), rota.Look{Try: a.Try, Stream: rota.Stdout, Max: 3})
	f.must(err)
	_, err = s.Renew(t.Context(), []rota.Renewal{{Session: f.session, Seq: f.seq, Held: []rota.Try{a.Try},
		Samples: []rota.TrySample{{Try: a.Try, Sample: rota.Sample{Memory: 1 << 20, Processes: 2}}}, Machine: &rota.NodeSample{Load1: 0.1, CPUs: 2}}})
	f.must(err)
	f.never = f.submit(func(j *rota.NewJob) { queue("never", 3)(j); j.Retry.OnLost = rota.LostFail })
	f.next("never")
	f.waits = f.submit(func(j *rota.NewJob) {
		queue("waits", 0)(j)
		j.Spec.After = []rota.Dependency{{Job: f.running.Job(), When: rota.AfterAny}, {Job: f.failed.Job(), When: rota.AfterAny}}
	})
	f.submit(func(j *rota.NewJob) {
		queue("many", 0)(j)
		j.Spec.Array, j.Spec.Limit = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 150}}}, 5
	})
	f.submit(func(j *rota.NewJob) {
		queue("lines", 0)(j)
		j.Spec.Lines, j.Lines, j.Key, j.Spec.Labels = true, []string{"ä", "", "b'\"\\"}, "schlüssel 😀", map[string]string{"a": "b"}
	})
	f.submit(func(j *rota.NewJob) { queue("in", 0)(j); j.Input = bytes.Repeat([]byte("in\x00"), 1000) })
	f.submit(func(j *rota.NewJob) { queue("held", 0)(j); j.Spec.Hold, j.Key, j.Submitter = true, "Z", "ann" })
	f.submit(func(j *rota.NewJob) {
		queue("later", 0)(j)
		j.Spec.At = time.Now().Add(time.Hour)
		j.Key, j.Submitter = "a", "Ann"
	})
	f.submit(func(j *rota.NewJob) { queue("upload", 0)(j); j.Input, j.More = []byte("half"), true })
	f.submit(func(j *rota.NewJob) { queue("home", 0)(j); j.Home = f.session })
	f.submit(func(j *rota.NewJob) { queue("alike", 0)(j); j.Spec.Unique = "one" })
	_, err = written(t.Context(), s, "test", func(x *tx) (int, error) {
		return x.exec(`INSERT INTO schedule_alarm (schedule, kind, since, until, due, text) VALUES ('hourly', 'missed', 1, 2, 1, 'late')`)
	})
	f.must(err)
	sfq, starts := "sfq", 1000.0
	_, err = s.ChangeQueue(t.Context(), "shared", rota.QueueChange{Discipline: &sfq, Starts: &starts})
	f.must(err)
	for range 2 {
		f.submit(func(j *rota.NewJob) { queue("shared", 0)(j); j.Spec.LimitKey, j.Spec.KeyLimit = "key", 2 })
	}
	f.end(f.next("shared"), rota.OutcomeSucceeded, 0)
	mem := int64(1 << 30)
	_, err = s.ChangeQueue(t.Context(), "kept", rota.QueueChange{Limits: rota.AllowanceChange{Max: rota.LimitsChange{Memory: &mem}}})
	f.must(err)
	due := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	sch, err := s.PutSchedule(t.Context(), rota.Schedule{Name: "hourly", Expr: "@hourly", Zone: "UTC", By: "me", Next: due, Spec: rota.Spec{Queue: "fired", Executor: "exec", Argv: []string{"true"}}})
	f.must(err)
	_, err = s.Fire(t.Context(), []rota.Firing{{Schedule: sch.Name, Version: sch.Version, Due: due, Next: due.Add(30 * time.Minute), Skipped: "missed"}})
	f.must(err)
	if err := s.Post(t.Context(), []rota.Letter{{Kind: rota.EventAlarm, Place: "mail:ann@example.org", Event: rota.Event{Text: "late"}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepStoreSample(t.Context(), rota.StoreSample{Waiting: 7, Oldest: rota.Duration(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSecret(t.Context(), rota.Secret{Name: "db", Owner: "ann", Sealed: []byte{0, 1, 255}}); err != nil {
		t.Fatal(err)
	}
	_, err = s.PutToken(t.Context(), rota.Token{Name: "t", Role: rota.RoleViewer, Hash: "abc"})
	f.must(err)
	_, err = s.PutUser(rota.WithDeed(t.Context(), rota.Deed{By: "ada", What: "put user", On: "user u"}), rota.User{Name: "u", Role: rota.RoleViewer, Hash: "h", Tell: rota.Tell{MailTo: []string{"u@example.org"}}})
	f.must(err)
	f.must(s.Objects().Put(t.Context(), "abc", 3, strings.NewReader("abc")))
	id := rota.BlobID(strings.Repeat("ab", 32))
	_, err = s.BeginBlob(t.Context(), rota.Blob{ID: id, Size: 3})
	f.must(err)
	f.must(s.EndBlob(t.Context(), id))
	f.must(s.KeepArtifact(t.Context(), rota.Artifact{Try: a.Try, Name: "out/ä", Size: 3, Blob: id}))
	_, err = s.PutSchedule(t.Context(), rota.Schedule{Name: "of-a-blob", Expr: "@daily", Zone: "UTC", Spec: rota.Spec{Blob: id}})
	f.must(err)
	s.openOperation(t, f.life)
	return f
}

// openOperation leaves an operation half done.
func (s *Store) openOperation(t testing.TB, l *life) {
	l.submit(func(j *rota.NewJob) {
		queue("large", 0)(j)
		j.Spec.Array = &rota.Array{Ranges: []rota.Range{{First: 1, Last: 5000}}}
	})
	op, err := s.Operate(t.Context(), rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Queue: "large"}, By: "me"})
	if err != nil || op.Ended {
		t.Fatalf("%+v, %v", op, err)
	}
}

// portrait is what can be asked of a store, but who it is.
type portrait struct {
	Jobs      []rota.Job
	Tasks     map[rota.TaskID]rota.Task
	Earlier   map[rota.TaskID][]rota.Attempt
	Output    map[string]rota.Output
	Schedules []rota.Schedule
	Tokens    []rota.Token
	Queues    []rota.Queue
	Input     []byte
	Samples   rota.Series
}

func portray(t testing.TB, s *Store) (p portrait) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	p.Jobs, err = s.Jobs(ctx, rota.JobQuery{Max: 1000})
	must(err)
	p.Tasks, p.Earlier, p.Output = map[rota.TaskID]rota.Task{}, map[rota.TaskID][]rota.Attempt{}, map[string]rota.Output{}
	all, err := s.Tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Queue: ""}, Max: 1000})
	must(err)
	for _, task := range all {
		p.Tasks[task.ID] = task
		if task.Number == 0 {
			continue
		}
		_, earlier, err := s.Task(ctx, task.ID)
		must(err)
		p.Earlier[task.ID] = earlier
		for _, a := range append(earlier, task.Attempt) {
			for _, stream := range []rota.Stream{rota.Stdout, rota.Stderr} {
				out, err := s.Output(ctx, rota.OutputQuery{Task: task.ID, Attempt: a.Number, Stream: stream})
				if !errors.Is(err, rota.ErrNotFound) {
					must(err)
					p.Output[fmt.Sprint(task.ID, a.Number, stream)] = out
				}
			}
		}
		if task.Name == "running" {
			p.Samples, err = s.Samples(ctx, task.ID, 1)
			must(err)
		}
	}
	p.Schedules, err = s.Schedules(ctx)
	must(err)
	p.Tokens, err = s.Tokens(ctx, "")
	must(err)
	p.Queues, err = s.Queues(ctx)
	must(err)
	for _, j := range p.Jobs {
		if j.Spec.Name == "in" {
			p.Input, _, err = s.Input(ctx, j.ID, 0, 1<<20)
			must(err)
		}
	}
	return p
}
