package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// tb is what tests and properties have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// world is a store with its clock, and the short ways in which tests use it. Its methods end the test on an error
// that is not the test's point.
type world struct {
	rota.Store
	clock *Clock
	ctx   context.Context
	open  func() rota.Store
	names int
}

func newWorld(t *testing.T, open Opener) *world {
	t.Helper()
	dir, clock := t.TempDir(), NewClock()
	w := &world{clock: clock, ctx: context.Background(), open: func() rota.Store { return open(t, dir, clock) }}
	w.Store = w.open()
	t.Cleanup(func() {
		if err := w.Close(); err != nil && !errors.Is(err, rota.ErrUnavailable) {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// reopen closes the store and opens it again.
func (w *world) reopen(t tb) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	w.Store = w.open()
}

// name makes a name that nothing else in this world has.
func (w *world) name(kind string) string {
	w.names++
	return fmt.Sprint(kind, w.names)
}

// job makes a job that is right; the changes say what is special about it.
func job(changes ...func(*rota.NewJob)) rota.NewJob {
	none := 0
	j := rota.NewJob{Submission: rota.Submission{Spec: rota.Spec{Argv: []string{"true"}}}, Submitter: "ann", Retry: rota.DefaultRetry()}
	j.Retry.Count = &none
	for _, c := range changes {
		c(&j)
	}
	if err := j.Resolve(); err != nil {
		panic(err) // the test itself is wrong
	}
	return j
}

func queue(q string) func(*rota.NewJob)        { return func(j *rota.NewJob) { j.Spec.Queue = q } }
func named(n string) func(*rota.NewJob)        { return func(j *rota.NewJob) { j.Spec.Name = n } }
func rank(r int64) func(*rota.NewJob)          { return func(j *rota.NewJob) { j.Spec.Priority = int(-r) } }
func retries(n int) func(*rota.NewJob)         { return func(j *rota.NewJob) { j.Retry.Count = &n } }
func maxLost(n int) func(*rota.NewJob)         { return func(j *rota.NewJob) { j.Retry.MaxLost = &n } }
func by(who string) func(*rota.NewJob)         { return func(j *rota.NewJob) { j.Submitter = who } }
func at(when time.Time) func(*rota.NewJob)     { return func(j *rota.NewJob) { j.Spec.At = when } }
func limit(n int) func(*rota.NewJob)           { return func(j *rota.NewJob) { j.Spec.Limit = n } }
func home(s rota.SessionID) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Home = s } }
func held(j *rota.NewJob)                      { j.Spec.Hold = true }

func onLost(o rota.OnLost) func(*rota.NewJob) { return func(j *rota.NewJob) { j.Retry.OnLost = o } }

func onStoreLoss(o rota.OnStoreLoss) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.OnStoreLoss = o }
}

func keyed(key, hash string) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Key, j.Hash = key, hash }
}

func after(when rota.When, jobs ...rota.JobID) func(*rota.NewJob) {
	return func(j *rota.NewJob) {
		for _, id := range jobs {
			j.Spec.After = append(j.Spec.After, rota.Dependency{Job: id, When: when})
		}
	}
}

func array(text string) func(*rota.NewJob) {
	a, limit, err := rota.ParseArray(text)
	if err != nil {
		panic(err)
	}
	return func(j *rota.NewJob) { j.Spec.Array, j.Spec.Limit = a, limit }
}

func lines(ls ...string) func(*rota.NewJob) {
	return func(j *rota.NewJob) { j.Spec.Lines, j.Lines = true, ls }
}

// submit stores jobs of which none is to be refused, and makes their tasks.
func (w *world) submit(t tb, jobs ...rota.NewJob) []rota.JobID {
	t.Helper()
	ids := w.submitOnly(t, jobs...)
	w.sweepAll(t, rota.SweepMake)
	return ids
}

func (w *world) submitOnly(t tb, jobs ...rota.NewJob) []rota.JobID {
	t.Helper()
	results, err := w.Submit(w.ctx, jobs)
	if err != nil || len(results) != len(jobs) {
		t.Fatalf("submit %d jobs: %d results, %v", len(jobs), len(results), err)
	}
	ids := make([]rota.JobID, len(results))
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("submit job %d of %d: %v", i+1, len(jobs), r.Err)
		}
		ids[i] = r.Job
	}
	return ids
}

// one submits a plain job and is its task.
func (w *world) one(t tb, changes ...func(*rota.NewJob)) rota.TaskID {
	t.Helper()
	return rota.PlainTask(w.submit(t, job(changes...))[0])
}

// maxStep is how many rows one transaction may change (P18).
const maxStep = 5000

// sweepAll does every step of one upkeep and returns what they moved.
func (w *world) sweepAll(t tb, what rota.Upkeep) int {
	t.Helper()
	moved := 0
	for range 10_000 {
		s := w.sweep(t, rota.Sweep{What: what})
		moved += s.Moved
		if !s.More {
			return moved
		}
	}
	t.Fatalf("sweep %s says More for ever", what)
	return moved
}

func (w *world) sweep(t tb, what rota.Sweep) rota.Swept {
	t.Helper()
	s, err := w.Sweep(w.ctx, what)
	if err != nil {
		t.Fatalf("sweep %s: %v", what.What, err)
	}
	if s.Moved > maxStep {
		t.Errorf("P18: one step of %s moved %d rows, and %d is the most", what.What, s.Moved, maxStep)
	}
	return s
}

// settle does all upkeep there is to do but pruning.
func (w *world) settle(t tb) {
	t.Helper()
	for range 1000 {
		moved := 0
		for _, what := range []rota.Upkeep{rota.SweepRescue, rota.SweepOperate, rota.SweepMake, rota.SweepPromote} {
			moved += w.sweepAll(t, what)
		}
		if moved == 0 {
			return
		}
	}
	t.Fatalf("the upkeep never comes to rest")
}

func (w *world) job(t tb, id rota.JobID) rota.Job {
	t.Helper()
	j, err := w.Job(w.ctx, id)
	if err != nil {
		t.Fatalf("job %v: %v", id, err)
	}
	if j.ID != id || j.Progress.Job != id {
		t.Fatalf("job %v is answered with job %v, progress of %v", id, j.ID, j.Progress.Job)
	}
	return j
}

func (w *world) task(t tb, id rota.TaskID) rota.Task {
	t.Helper()
	task, _ := w.history(t, id)
	return task
}

// history is a task with its earlier attempts.
func (w *world) history(t tb, id rota.TaskID) (rota.Task, []rota.Attempt) {
	t.Helper()
	task, attempts, err := w.Task(w.ctx, id)
	if err != nil {
		t.Fatalf("task %v: %v", id, err)
	}
	if task.ID != id {
		t.Fatalf("task %v is answered with task %v", id, task.ID)
	}
	return task, attempts
}

// all are all tasks that a filter selects, page by page.
func (w *world) all(t tb, f rota.Filter) []rota.Task {
	t.Helper()
	var all []rota.Task
	q := rota.TaskQuery{Filter: f, Max: 500}
	for {
		page, err := w.Tasks(w.ctx, q)
		if err != nil {
			t.Fatalf("tasks: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		if page[0].ID <= q.After {
			t.Fatalf("a page of tasks after %v begins with %v", q.After, page[0].ID)
		}
		all, q.After = append(all, page...), page[len(page)-1].ID
	}
}

func (w *world) wantState(t tb, id rota.TaskID, want rota.State) rota.Task {
	t.Helper()
	task := w.task(t, id)
	if task.State != want {
		t.Fatalf("task %v is %v, want %v (reason %q)", id, task.State, want, task.Reason)
	}
	return task
}

// operate does an act on a filter and lets it come to its end.
func (w *world) operate(t tb, act rota.Act, f rota.Filter) rota.Operation {
	t.Helper()
	op, err := w.Operate(w.ctx, rota.Operation{Act: act, Filter: f, By: "ann"})
	if err != nil {
		t.Fatalf("operate %s: %v", act, err)
	}
	for range 10_000 {
		if op.Ended {
			return op
		}
		w.sweep(t, rota.Sweep{What: rota.SweepOperate})
		if op, err = w.Operation(w.ctx, op.ID); err != nil {
			t.Fatalf("operation %d: %v", op.ID, err)
		}
	}
	t.Fatalf("operation %d never ends", op.ID)
	return op
}

func only(ids ...rota.TaskID) rota.Filter {
	var f rota.Filter
	for _, id := range ids {
		f.Tasks = append(f.Tasks, rota.Span{First: id, Last: id})
	}
	return f
}

func whole(jobs ...rota.JobID) rota.Filter {
	return rota.Filter{Tasks: rota.SpansOf(jobs)}
}

// verify holds everything that is kept twice against a real count (P19).
func (w *world) verify(t tb) {
	t.Helper()
	w.sweepAll(t, rota.SweepMake)
	differences, err := w.Verify(w.ctx)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, d := range differences {
		t.Errorf("P19: verify: %s", d)
	}
	tasks := w.all(t, rota.Filter{})
	w.verifyQueues(t, tasks)
	w.verifyJobs(t, tasks)
}

func (w *world) verifyQueues(t tb, tasks []rota.Task) {
	t.Helper()
	want := map[string]map[rota.State]int{}
	for _, task := range tasks {
		if want[task.Queue] == nil {
			want[task.Queue] = map[rota.State]int{}
		}
		want[task.Queue][task.State]++
	}
	queues, err := w.Queues(w.ctx)
	if err != nil {
		t.Fatalf("queues: %v", err)
	}
	for _, q := range queues {
		maps.DeleteFunc(q.Counts, func(_ rota.State, n int) bool { return n == 0 })
		if !maps.Equal(q.Counts, want[q.Name]) {
			t.Errorf("P19: queue %s counts %v, and has %v", q.Name, q.Counts, want[q.Name])
		}
		delete(want, q.Name)
	}
	for name, counts := range want {
		maps.DeleteFunc(counts, func(s rota.State, _ int) bool { return s.Ended() }) // the history of a queue that was removed
		if len(counts) > 0 {
			t.Errorf("P19: queue %s is not listed, and has %v", name, counts)
		}
	}
}

func (w *world) verifyJobs(t tb, tasks []rota.Task) {
	t.Helper()
	for len(tasks) > 0 {
		id := tasks[0].ID.Job()
		n := slices.IndexFunc(tasks, func(x rota.Task) bool { return x.ID.Job() != id })
		if n < 0 {
			n = len(tasks)
		}
		p := w.job(t, id).Progress
		if want := progress(id, p.Sealed, tasks[:n]); p != want {
			t.Errorf("P19: job %v counts %+v, and has %+v", id, p, want)
		}
		tasks = tasks[n:]
	}
}

// progress counts the tasks of a job whose tasks have all been made.
func progress(id rota.JobID, sealed bool, tasks []rota.Task) rota.Progress {
	p := rota.Progress{Job: id, Tasks: len(tasks), Made: len(tasks), Sealed: sealed}
	for _, t := range tasks {
		*map[rota.State]*int{rota.Blocked: &p.Blocked, rota.Scheduled: &p.Scheduled, rota.Held: &p.Held, rota.Ready: &p.Ready,
			rota.Running: &p.Running, rota.Succeeded: &p.Succeeded, rota.Failed: &p.Failed, rota.Cancelled: &p.Cancelled}[t.State]++
	}
	return p
}

func wantIs(t tb, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}
