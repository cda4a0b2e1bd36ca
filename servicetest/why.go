package servicetest

import (
	"strings"

	"github.com/rotaqueue/rota"
)

var whyTests = []contract{
	{"D12 why a job waits, and what would change that", whyItWaits},
	{"D12 a job that waits for others, or for its time, says so", whyAside},
}

// because asks why a job's task waits, and wants a reason with these words and that fix.
func (w *world) because(id rota.JobID, words, fix string) rota.Why {
	w.Helper()
	why, err := w.viewer.Why(w.viewer.ctx, rota.PlainTask(id))
	if err != nil {
		w.Fatalf("why %v: %v", id, err)
	}
	for _, r := range why.Reasons {
		if strings.Contains(r.Text, words) && strings.Contains(r.Fix, fix) {
			return why
		}
	}
	w.Errorf("why job %v waits: %+v, want %q and %q", id, why.Reasons, words, fix)
	return why
}

func whyItWaits(w *world) {
	first := w.kim.submit(run(queued("q")))
	id := w.kim.submit(run(queued("q"), func(s *rota.Spec) { s.On = "other" }))
	w.because(first, "no node is up", "rota up")
	m := w.node("one")
	w.because(id, "the job is for node other", "rota relocate")
	yes, pin := true, []string{"two"}
	if _, err := w.operator.ChangeQueue(w.operator.ctx, "q", rota.QueueChange{Paused: &yes, Pin: pin}); err != nil {
		w.Fatal(err)
	}
	w.because(first, "the queue q is paused", "rota queue resume q")
	why := w.because(first, "is pinned to two", "rota queue set q --pin")
	equal(w, "ahead of the first", why.Ahead, 0)
	no := false
	if _, err := w.operator.ChangeQueue(w.operator.ctx, "q", rota.QueueChange{Paused: &no, Pin: []string{}}); err != nil {
		w.Fatal(err)
	}
	why = w.because(id, "the job is for node other", "")
	equal(w, "ahead of the second", why.Ahead, 1)
	m.claimOne()
	why, err := w.viewer.Why(w.viewer.ctx, rota.PlainTask(first))
	if err != nil || why.State != rota.Running || len(why.Reasons) != 0 {
		w.Errorf("why, of one that runs: %+v, %v", why, err)
	}
	_, err = w.viewer.Why(w.viewer.ctx, rota.PlainTask(4711))
	w.refused("of no job", err, rota.ErrNotFound)
}

func whyAside(w *world) {
	first := w.kim.submit(run(func(s *rota.Spec) { s.Hold = true }))
	w.because(first, "it is held", "rota release")
	second := w.kim.submit(run(func(s *rota.Spec) { s.After = []rota.Dependency{{Job: first, When: rota.AfterOK}} }))
	w.because(second, "it waits for the success of job "+first.String(), "rota why "+first.String())
}
