package servicetest

import (
	"context"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

var waitTests = []contract{
	{"watch returns when the job changes", watchChange},
	{"watch returns when the job ends", watchEnd},
	{"watch returns when the wait is over", watchOver},
	{"await returns when a job comes", awaitJob},
	{"await returns for every way of becoming claimable", awaitEachWay},
	{"await settles when there is nothing", awaitSettles},
	{"await tells again after a full claim", awaitAfterFullClaim},
	{"a caller who goes away is not waited for", callerGoesAway},
}

// soon is what a call that waits has returned.
func soon[T any](w *world, got <-chan T) T {
	w.Helper()
	select {
	case v := <-got:
		return v
	case <-time.After(patience):
		w.Fatal("the call did not return")
		panic("unreachable")
	}
}

// watch watches a job in the background, for longer than any test takes.
func (c *client) watch(id rota.JobID, seen rota.Progress) <-chan rota.Progress {
	got := make(chan rota.Progress, 1)
	go func() {
		p, err := c.Watch(c.ctx, id, seen, time.Minute)
		if err != nil {
			c.w.Errorf("watch: %v", err)
		}
		got <- p
	}()
	return got
}

func watchChange(w *world) {
	id := w.kim.submit(run(array(1, 2, 0)))
	w.kim.eventuallyMade(id, 2)
	seen := w.kim.job(id).Progress
	if p := soon(w, w.kim.watch(id, rota.Progress{})); p != seen {
		w.Errorf("unlike what was seen: got %+v, want %+v", p, seen)
	}
	got := w.viewer.watch(id, seen)
	a := w.node("one").claimOne()
	if p := soon(w, got); p.Running != 1 || a.Task.Job() != id {
		w.Errorf("after the claim: got %+v", p)
	}
}

func watchEnd(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	got := w.kim.watch(id, w.kim.job(id).Progress)
	m.ends(rota.OutcomeSucceeded, a)
	p := soon(w, got)
	if !p.Ended() || p.Succeeded != 1 {
		w.Errorf("after the end: got %+v", p)
	}
	if again := soon(w, w.kim.watch(id, p)); again != p {
		w.Errorf("of an ended job, seen: got %+v, want it at once", again)
	}
}

func watchOver(w *world) {
	id := w.kim.submit(run())
	seen := w.kim.job(id).Progress
	for _, wait := range []time.Duration{20 * time.Millisecond, 0, -time.Second} {
		p, err := w.kim.Watch(w.kim.ctx, id, seen, wait)
		if err != nil || p != seen {
			w.Errorf("nothing happened within %v: got %+v, error %v", wait, p, err)
		}
	}
}

// await awaits in the background, for longer than any test takes.
func (m *machine) await() <-chan rota.News {
	got := make(chan rota.News, 1)
	go func() {
		news, err := m.c.Await(m.c.ctx, m.id, time.Minute)
		if err != nil {
			m.c.w.Errorf("await: %v", err)
		}
		got <- news
	}()
	return got
}

// settle lets the node look until there is no news for it.
func (m *machine) settle() {
	m.c.w.Helper()
	m.c.w.eventually("await settles", func() bool {
		m.idle("nothing was submitted")
		news, err := m.c.Await(m.c.ctx, m.id, 10*time.Millisecond)
		if err != nil {
			m.c.w.Fatal(err)
		}
		return !news.Ready
	})
}

func awaitJob(w *world) {
	m := w.node("one")
	m.settle()
	got := m.await()
	id := w.kim.submit(run())
	if news := soon(w, got); !news.Ready {
		w.Errorf("after a submit: got %+v", news)
	}
	claimed := m.exchange(1).Claimed
	if len(claimed) != 1 || claimed[0].Task.Job() != id {
		w.Errorf("claimed %+v, want job %v", claimed, id)
	}
}

func awaitEachWay(w *world) {
	m := w.node("one")
	first := w.kim.submit(run(retries(3)))
	a := m.claimOne()
	w.kim.submit(run(after(rota.AfterOK, first)))
	heldOne := w.kim.submit(run(held))
	wakes := func(what string, do func()) rota.Assignment {
		w.Helper()
		m.settle()
		do()
		got := m.claimOne()
		w.Logf("%s: %v", what, got.Try)
		return got
	}
	a = wakes("a retry", func() { m.ends(rota.OutcomeFailed, a) })
	b := wakes("a dependent", func() { m.ends(rota.OutcomeSucceeded, a) })
	c := wakes("a release", func() { w.kim.operate(rota.ActRelease, jobs(heldOne)) })
	m.ends(rota.OutcomeRefused, c)
	wakes("a retry by hand", func() { w.kim.operate(rota.ActRetry, jobs(heldOne)) })
	wakes("an array", func() { w.kim.submit(run(array(1, 1, 0))) })
	wakes("its time", func() { w.kim.submit(run(func(s *rota.Spec) { s.At = time.Now().Add(50 * time.Millisecond) })) })
	wakes("a give-back", func() { m.ends(rota.OutcomeReturned, b) })
}

func awaitSettles(w *world) {
	w.kim.submit(run(held))
	m := w.node("one")
	m.settle()
	a := func() rota.Assignment { w.kim.submit(run()); return m.claimOne() }()
	m.exchange(5, finish(a.Try, rota.OutcomeSucceeded))
	m.settle()
}

func awaitAfterFullClaim(w *world) {
	for range 3 {
		w.kim.submit(run())
	}
	m := w.node("one")
	for n := range 3 {
		if news := soon(w, m.await()); !news.Ready {
			w.Errorf("after %d full claims: got %+v", n, news)
		}
		if got := m.exchange(1).Claimed; len(got) != 1 {
			w.Fatalf("claimed %d, want 1", len(got))
		}
	}
	m.settle()
}

func callerGoesAway(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	m.claimOne()
	m.settle()
	seen := w.kim.job(id).Progress
	for what, call := range map[string]func(context.Context) error{
		"watch": func(ctx context.Context) error {
			_, err := w.kim.Watch(ctx, id, seen, time.Minute)
			return err
		},
		"await": func(ctx context.Context) error {
			_, err := w.admin.Await(ctx, m.id, time.Minute)
			return err
		},
		"output": func(ctx context.Context) error {
			_, err := w.kim.Output(ctx, rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout}, time.Minute)
			return err
		},
	} {
		c := w.kim
		if what == "await" {
			c = w.admin
		}
		ctx, cancel := context.WithCancel(c.ctx)
		got := make(chan error, 1)
		go func() { got <- call(ctx) }()
		cancel()
		if err := soon(w, got); !errors.Is(err, context.Canceled) {
			w.Errorf("%s: got error %v, want the context's", what, err)
		}
	}
}
