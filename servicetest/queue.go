package servicetest

import (
	"strings"

	"github.com/rotaqueue/rota"
)

var queueTests = []contract{
	{"D6 a queue's limits hold for what waits in it", limitsOfWaiting},
	{"D6 what is beyond a queue is refused", beyondAQueue},
	{"D6 settings that cannot be are refused", wrongSettings},
}

func ptr[T any](v T) *T { return &v }

func (c *client) change(queue string, change rota.AllowanceChange) rota.Queue {
	c.w.Helper()
	q, err := c.ChangeQueue(c.ctx, queue, rota.QueueChange{Limits: change})
	if err != nil {
		c.w.Fatalf("change queue %s: %v", queue, err)
	}
	return q
}

func limitsOfWaiting(w *world) {
	own := rota.Limits{Memory: 4 << 30, Nice: 5}
	id := w.kim.submit(run(queued("night"), func(s *rota.Spec) { s.Limits = own }))
	w.kim.submit(run(queued("other")))
	w.operator.change("night", rota.AllowanceChange{Default: rota.LimitsChange{CPUs: ptr(1.5)}})
	changed := w.operator.change("night", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr(int64(1 << 30)), Nice: ptr(0)}})
	want := rota.Allowance{Default: rota.Limits{CPUs: 1.5}, Max: rota.Maxima{Memory: 1 << 30, Nice: ptr(0)}}
	equal(w, "changed", changed.Limits, want)
	equal(w, "the tasks that wait in it", changed.Counts[rota.Ready], 1)
	all, err := w.viewer.Queues(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	for _, q := range all {
		if q.Name == "night" {
			equal(w, "kept", q.Limits, want)
		} else if !q.Limits.IsZero() {
			w.Errorf("the queue %s has limits of its own: %+v", q.Name, q.Limits)
		}
	}
	m := w.node("one")
	for range 2 {
		a := m.claimOne()
		if a.Queue == "other" {
			equal(w, "what the other queue says", a.Allowance, nil)
			continue
		}
		equal(w, "the job as submitted", a.Spec.Limits, own)
		equal(w, "what the queue says", a.Allowance, &want)
		equal(w, "what holds", rota.LimitsOf(a.Spec.Limits, *a.Allowance, rota.Allowance{}), rota.Limits{Memory: 1 << 30, CPUs: 1.5, Nice: 5})
	}
	equal(w, "the job as it is told", w.kim.job(id).Spec.Limits, own)
}

func beyondAQueue(w *world) {
	w.operator.change("small", rota.AllowanceChange{Max: rota.LimitsChange{Memory: ptr(int64(1 << 30))}})
	big := run(queued("small"), func(s *rota.Spec) { s.Memory = 2 << 30 })
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Spec: big})
	w.refused("a job", err, rota.ErrTooLarge)
	if err != nil && (!strings.Contains(err.Error(), "2GiB") || !strings.Contains(err.Error(), "1GiB") || !strings.Contains(rota.FixOf(err), "--mem 1GiB")) {
		w.Errorf("the refusal %q (%q) does not name both, and what mends it", err, rota.FixOf(err))
	}
	_, err = w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: big})
	w.refused("a schedule", err, rota.ErrTooLarge)
	big.Queue = "large"
	w.kim.submit(big)
}

func wrongSettings(w *world) {
	for name, c := range map[string]rota.AllowanceChange{
		"little memory":        {Default: rota.LimitsChange{Memory: ptr(int64(1))}},
		"negative processes":   {Max: rota.LimitsChange{PIDs: ptr(-1)}},
		"default over maximum": {Default: rota.LimitsChange{PIDs: ptr(5)}, Max: rota.LimitsChange{PIDs: ptr(4)}},
	} {
		_, err := w.operator.ChangeQueue(w.operator.ctx, "q", rota.QueueChange{Limits: c})
		w.refused(name, err, rota.ErrInvalid)
	}
	_, err := w.operator.ChangeQueue(w.operator.ctx, "no queue", rota.QueueChange{})
	w.refused("a name that is none", err, rota.ErrInvalid)
}
