package node

import (
	"encoding/json"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/keeper"
)

// note is what a node must know of an attempt that it did not claim itself, to record its end.
type note struct {
	Retry    rota.Retry  `json:"retry"`
	Failures int         `json:"failures,omitempty"`
	Input    bool        `json:"input,omitempty"`  // it reads the job's uploaded input
	Leased   bool        `json:"leased,omitempty"` // it ends with the lease
	Blob     rota.BlobID `json:"blob,omitempty"`   // that it runs

	Queue string         `json:"queue,omitempty"`
	Needs rota.Resources `json:"needs,omitempty"`
}

func noteOf(a *rota.Assignment, tolerance rota.Duration) ([]byte, error) {
	return json.Marshal(note{a.Retry, a.Failures, a.HasInput && a.Spec.Stdin == "", tolerance == 0, a.Spec.Blob, a.Queue, a.Spec.Needs})
}

// resume takes over what an earlier node of the session gave to the keeper. The numbers of exchanges go on. What the
// store has as ours and the keeper never got, and the other way round, the first renewal tells (P5, P10).
func (r *reactor) resume(opened rota.Opened, earlier []keeper.Held) {
	r.seq, r.checked, r.lapsed = opened.Seq, opened.Seq == 0, opened.Lost
	if !r.checked {
		r.renewAt = 0
	}
	if len(earlier) > 0 {
		r.renewAt = 0 // at once: somebody may have asked for an end meanwhile (P9)
	}
	for _, e := range earlier {
		known := note{Retry: rota.DefaultRetry()}
		if err := json.Unmarshal(e.Note, &known); err != nil {
			r.log.Warn("what an attempt's note says cannot be read; its retries wait as by default", "task", e.Task, "attempt", e.Attempt, "err", err)
		}
		a := &attempt{Assignment: rota.Assignment{Try: e.Try, Retry: known.Retry, Failures: known.Failures, HasInput: known.Input, Queue: known.Queue, Spec: &rota.Spec{Needs: known.Needs}}}
		a.over, a.leased = e.State == keeper.Ended, known.Leased
		r.hold(a, inKeeper)
		if known.Input {
			r.use(need{job: e.Task.Job()}, a).there = true // else the keeper would not have the attempt
		}
		if known.Blob != "" {
			r.use(need{blob: known.Blob}, a).there = true
		}
	}
}
