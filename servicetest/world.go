package servicetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// patience is how long a test waits for what must happen; it is never how long a test takes.
const patience = time.Minute

// world is a server and those who use it.
type world struct {
	*testing.T
	Harness
	admin, operator, kim, lee, viewer *client // kim and lee are submitters
	nobody                            *client
}

func newWorld(t *testing.T, h Harness) *world {
	w := &world{T: t, Harness: h}
	w.admin = w.as(rota.Principal{Name: "ada", Role: rota.RoleAdmin})
	w.operator = w.as(rota.Principal{Name: "ole", Role: rota.RoleOperator})
	w.kim = w.as(rota.Principal{Name: "kim", Role: rota.RoleSubmitter})
	w.lee = w.as(rota.Principal{Name: "lee", Role: rota.RoleSubmitter})
	w.viewer = w.as(rota.Principal{Name: "vic", Role: rota.RoleViewer})
	w.nobody = w.as(rota.Principal{})
	return w
}

// client is the Service as one principal has it.
type client struct {
	rota.Service
	w   *world
	ctx context.Context
}

func (w *world) as(p rota.Principal) *client {
	ctx := w.Context()
	if p.Name != "" {
		ctx = rota.WithPrincipal(ctx, p)
	}
	return &client{Service: w.As(p), w: w, ctx: ctx}
}

// run is a spec that would run something.
func run(changes ...func(*rota.Spec)) rota.Spec {
	s := rota.Spec{Argv: []string{"true"}}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func named(name string) func(*rota.Spec)   { return func(s *rota.Spec) { s.Name = name } }
func queued(queue string) func(*rota.Spec) { return func(s *rota.Spec) { s.Queue = queue } }
func held(s *rota.Spec)                    { s.Hold = true }
func priority(p int) func(*rota.Spec)      { return func(s *rota.Spec) { s.Priority = p } }
func retries(n int) func(*rota.Spec)       { return func(s *rota.Spec) { s.Retry = &rota.Retry{Count: &n} } }
func labelled(k, v string) func(*rota.Spec) {
	return func(s *rota.Spec) { s.Labels = map[string]string{k: v} }
}
func environment(e ...string) func(*rota.Spec) { return func(s *rota.Spec) { s.Env = e } }

func array(first, last, limit int) func(*rota.Spec) {
	return func(s *rota.Spec) {
		s.Array = &rota.Array{Ranges: []rota.Range{{First: first, Last: last}}}
		s.Limit = limit
	}
}

func after(when rota.When, jobs ...rota.JobID) func(*rota.Spec) {
	return func(s *rota.Spec) {
		for _, j := range jobs {
			s.After = append(s.After, rota.Dependency{Job: j, When: when})
		}
	}
}

// submit submits a spec that must be accepted.
func (c *client) submit(s rota.Spec) rota.JobID {
	c.w.Helper()
	return c.send(rota.Submission{Spec: s}).Job
}

func (c *client) send(s rota.Submission) rota.Submitted {
	c.w.Helper()
	got, err := c.Submit(c.ctx, s)
	if err != nil {
		c.w.Fatalf("submit %+v: %v", s.Spec, err)
	}
	return got
}

func (c *client) job(id rota.JobID) rota.Job {
	c.w.Helper()
	job, err := c.Job(c.ctx, id)
	if err != nil {
		c.w.Fatalf("job %v: %v", id, err)
	}
	return job
}

func (c *client) task(id rota.TaskID) rota.Task {
	c.w.Helper()
	task, _, err := c.Task(c.ctx, id)
	if err != nil {
		c.w.Fatalf("task %v: %v", id, err)
	}
	return task
}

// operate acts on what a filter selects, and waits until that is done.
func (c *client) operate(act rota.Act, f rota.Filter) rota.Operation {
	c.w.Helper()
	op, err := c.Operate(c.ctx, rota.Operation{Act: act, Filter: f})
	if err != nil {
		c.w.Fatalf("%s %+v: %v", act, f, err)
	}
	c.w.eventually("the operation ends", func() bool {
		if !op.Ended {
			if op, err = c.Operation(c.ctx, op.ID); err != nil {
				c.w.Fatalf("operation %d: %v", op.ID, err)
			}
		}
		return op.Ended
	})
	return op
}

func jobs(ids ...rota.JobID) rota.Filter {
	return rota.Filter{Tasks: rota.SpansOf(ids)}
}

// inState waits until a job's progress says a state.
func (c *client) inState(id rota.JobID, want rota.State) rota.Job {
	c.w.Helper()
	var job rota.Job
	c.w.eventually("job "+id.String()+" is "+want.String(), func() bool {
		job = c.job(id)
		return job.Progress.State() == want
	})
	return job
}

// eventually looks until something is so.
func (w *world) eventually(what string, is func() bool) {
	w.Helper()
	over := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-over:
			w.Fatalf("never came: %s", what)
		}
	}
}

// refused checks the kind of an error, and that it says something.
func (w *world) refused(what string, err, kind error) {
	w.Helper()
	if !errors.Is(err, kind) || err.Error() == "" {
		w.Errorf("%s: got error %v, want one that is %q", what, err, kind)
	}
}

func equal[T any](w *world, what string, got, want T) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
