package cli

import (
	"context"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	drawEvery = 100 * time.Millisecond // at most as often is the bar drawn
	sayEvery  = 5 * time.Second        // at most as often is a plain line written
	namedMost = 10                     // failed tasks that are named at the end
	shownMost = 5                      // last lines of each of them
)

// watcher shows the progress of a job with many tasks to its end.
type watcher struct {
	a      *app
	c      *conn
	job    rota.JobID
	name   string
	output bool // each task's output is shown as it ends, whole
	begun  time.Time
	meter  meter
	said   time.Time
	last   rota.Progress // what the last plain line said
}

func (a *app) watcher(c *conn, job *rota.Job) *watcher {
	name := job.ID.String()
	if job.Spec.Name != "" {
		name += " " + clean(job.Spec.Name)
	}
	now := a.now()
	return &watcher{a: a, c: c, job: job.ID, name: name, begun: now, said: now}
}

// run shows the job to its end, and returns how it ended.
func (w *watcher) run(ctx context.Context) (rota.Progress, error) {
	defer w.a.screen.clear()
	var seen rota.Progress
	h := harvest{c: w.c, job: w.job}
	for {
		p, err := patiently(ctx, w.c, func() (rota.Progress, error) { return w.c.Watch(ctx, w.job, seen, time.Second) })
		if err != nil {
			return p, err
		}
		seen = p
		if w.output {
			if err := w.collect(ctx, &h); err != nil {
				return p, err
			}
		}
		w.show(p)
		if p.Ended() {
			return p, nil
		}
		if err := pause(ctx, drawEvery); err != nil {
			return p, err
		}
	}
}

// show draws the bar, or says how far it is every few seconds where there is no terminal.
func (w *watcher) show(p rota.Progress) {
	now := w.a.now()
	v := view{name: w.name, progress: p, rate: w.meter.add(now, p.Tasks-p.Left())}
	if w.a.screen.errTerm {
		v.columns, v.colour = w.a.screen.size(), w.a.screen.colours()
		w.a.screen.draw(bar(v))
		return
	}
	if p != w.last && now.Sub(w.said) >= sayEvery && !p.Ended() {
		w.a.note("%s", plainLine(v))
		w.said, w.last = now, p
	}
}

// collect prints the output of what has ended, each task's as a whole.
func (w *watcher) collect(ctx context.Context, h *harvest) error {
	for t, err := range h.look(ctx) {
		if err == nil && t.Number > 0 && !t.Nothing(rota.Stdout) {
			_, err = w.a.follower(w.c, t.ID).drain(ctx, rota.OutputQuery{Task: t.ID, Stream: rota.Stdout})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// report says how the job ended, and names what failed.
func (w *watcher) report(ctx context.Context, p rota.Progress, took time.Duration) error {
	w.a.screen.clear()
	w.a.note("%s", summary(w.name, p, took))
	if p.Failed == 0 {
		return nil
	}
	filter := rota.Filter{Tasks: []rota.Span{rota.SpanOf(w.job)}, States: []rota.State{rota.Failed}}
	for t, err := range w.c.tasks(ctx, rota.TaskQuery{Filter: filter}, namedMost) {
		if err != nil {
			return err
		}
		w.a.nameFailure(ctx, w.c, &t)
	}
	if more := p.Failed - namedMost; more > 0 {
		w.a.note("… and %s more: rota ls %v --state failed", number(more), w.job)
	}
	return nil
}

// nameFailure says which task failed, why, and the last it had to say.
func (a *app) nameFailure(ctx context.Context, c *conn, t *rota.Task) {
	what := t.ID.String()
	if t.Line != "" {
		what += " " + clean(t.Line)
	}
	a.note("%s: %s", what, ending(&t.Attempt))
	if t.Nothing(rota.Stderr) {
		return
	}
	o, err := c.Output(ctx, rota.OutputQuery{Task: t.ID, Stream: rota.Stderr, Offset: -4096}, 0)
	if err != nil || len(o.Data) == 0 {
		return
	}
	from := 0
	if at, ok := lastLines(o.Data, shownMost); ok {
		from = at
	}
	for _, line := range splitLines(string(o.Data[from:])) {
		a.note("    %s", clean(line))
	}
}

// verdict is the exit code that stands for a whole job: that of its first failed task, else of its first cancelled
// one, else 0.
func (c *conn) verdict(ctx context.Context, job rota.JobID, p rota.Progress) (int, *rota.Task, error) {
	for _, s := range []struct {
		n     int
		state rota.State
	}{{p.Failed, rota.Failed}, {p.Cancelled, rota.Cancelled}} {
		if s.n == 0 {
			continue
		}
		tasks, err := c.Tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job)}, States: []rota.State{s.state}}, Max: 1})
		if err != nil {
			return 0, nil, err
		}
		if len(tasks) > 0 {
			return exitCode(&tasks[0]), &tasks[0], nil
		}
		return exitOwn, nil, nil
	}
	return 0, nil, nil
}
