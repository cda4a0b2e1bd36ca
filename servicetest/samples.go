package servicetest

import (
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

var sampleTests = []contract{
	{"D6 what an attempt used is kept", attemptSamples},
	{"D6 what a node did is kept", nodeSamples},
	{"D13 what the queues held is kept", storeSamples},
}

func (m *machine) renew(r rota.Renewal) {
	m.c.w.Helper()
	r.Session, r.State, r.Seq = m.id, rota.NodeUp, m.seq
	if _, err := m.c.Renew(m.c.ctx, r); err != nil {
		m.c.w.Fatalf("renew: %v", err)
	}
}

func attemptSamples(w *world) {
	id := rota.PlainTask(w.kim.submit(run()))
	m := w.node("one")
	try := m.claimOne().Try
	used := rota.Sample{Memory: 5 << 20, CPU: rota.Duration(1500 * time.Millisecond), Processes: 3}
	m.renew(rota.Renewal{Held: []rota.Try{try}, Samples: []rota.TrySample{{Try: try, Sample: used},
		{Try: rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, Sample: used}}})
	for _, attempt := range []int{0, 1} {
		got, err := w.viewer.Samples(w.viewer.ctx, id, attempt)
		if err != nil || got.Attempt != 1 || got.Step.D() != rota.SampleEvery || len(got.Points) != 1 {
			w.Fatalf("samples of attempt %d: %+v, error %v", attempt, got, err)
		}
		equal(w, "sample", got.Points[0].Sample, used)
		if at := got.Points[0].At; at.IsZero() || at.Location() != time.UTC {
			w.Errorf("it is of %v", at)
		}
	}
	_, err := w.viewer.Samples(w.viewer.ctx, id, 2)
	w.refused("an attempt that was not made", err, rota.ErrNotFound)
	_, err = w.viewer.Samples(w.viewer.ctx, rota.PlainTask(4711), 0)
	w.refused("a task that is not there", err, rota.ErrNotFound)
	_, err = w.viewer.Samples(w.viewer.ctx, id, -1)
	w.refused("an attempt of no number", err, rota.ErrInvalid)
	none, err := w.viewer.Samples(w.viewer.ctx, rota.PlainTask(w.kim.submit(run(held))), 0)
	if err != nil || none.Attempt != 0 || len(none.Points) != 0 {
		w.Errorf("of what was not tried: %+v, error %v", none, err)
	}
}

func nodeSamples(w *world) {
	m := w.node("one")
	st, err := w.viewer.Status(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	a := rota.NodeSample{Load1: 0.25, CPUs: 2, MemoryUsed: 1 << 30, MemoryTotal: 2 << 30, DiskFree: 3 << 30, DiskTotal: 4 << 30, Slots: 4, Running: 1}
	b := a
	b.Running = 2
	m.renew(rota.Renewal{Machine: &a})
	m.renew(rota.Renewal{})
	m.renew(rota.Renewal{Machine: &b})
	got, err := w.viewer.NodeSamples(w.viewer.ctx, "one", st.Store.Now)
	if err != nil || len(got) != 2 || !got[0].At.Before(got[1].At) {
		w.Fatalf("samples: %+v, error %v", got, err)
	}
	latest := got[1]
	since, err := w.viewer.NodeSamples(w.viewer.ctx, "one", latest.At)
	if err != nil || !slices.Equal(since, got[1:]) {
		w.Errorf("since the latest: %+v, error %v", since, err)
	}
	nodes, err := w.viewer.Nodes(w.viewer.ctx)
	if err != nil || len(nodes) != 1 || nodes[0].Sample == nil || *nodes[0].Sample != latest {
		w.Errorf("nodes: %+v, error %v", nodes, err)
	}
	got[0].At, got[1].At = time.Time{}, time.Time{}
	equal(w, "samples", got, []rota.NodeSample{a, b})
	_, err = w.viewer.NodeSamples(w.viewer.ctx, "two", time.Time{})
	w.refused("a node that is not there", err, rota.ErrNotFound)
}

func storeSamples(w *world) {
	var got []rota.StoreSample
	w.eventually("what the queues hold is noted when a server begins", func() bool {
		all, err := w.viewer.StoreSamples(w.viewer.ctx, time.Time{})
		if err != nil {
			w.Fatal(err)
		}
		got = all
		return len(all) == 1
	})
	at := got[0].At
	got[0].At = time.Time{}
	equal(w, "samples", got, []rota.StoreSample{{}})
	if later, err := w.viewer.StoreSamples(w.viewer.ctx, at.Add(time.Microsecond)); at.IsZero() || err != nil || len(later) != 0 {
		w.Errorf("after the one of %v: %+v, error %v", at, later, err)
	}
}
