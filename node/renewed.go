package node

import (
	"errors"

	"github.com/rotaqueue/rota"
)

// renewed is told the answer to a renewal. Strays that the keeper holds have been taken out.
func (r *reactor) renewed(ans rota.Renewed, err error, now rota.Elapsed) {
	r.renewing = false
	switch {
	case errors.Is(err, rota.ErrLeaseLost):
		r.lose(err, now)
		return
	case err != nil:
		if !r.unheard.begun() {
			r.log.Warn("lease not renewed; trying again", "err", err)
		}
		r.renewAt = min(r.renewAt, now+rota.Elapsed(r.unheard.more()))
		return
	}
	r.unheard.reset()
	r.checked = true
	r.toDrain(ans.Drain, now)
	r.toPause(ans.Pause, now)
	r.endings(ans.Ending, now)
	r.end(ans.Gone, now)
	r.giveBackStrays(ans.Strays, now)
}

// end ends attempts that the store no longer has as ours.
func (r *reactor) end(gone []rota.Try, now rota.Elapsed) {
	for _, t := range gone {
		a := r.held[t]
		if a == nil || a.gone {
			continue
		}
		a.gone = true
		if a.over {
			continue // and recorded before the keeper could be told
		}
		r.log.Warn("the store no longer has this attempt as ours; it is ended", "task", t.Task, "attempt", t.Attempt)
		switch a.stage {
		case fetching, apart:
			r.giveBack(a, "the store no longer had it as this node's", now)
		case inKeeper:
			r.todo.stop = append(r.todo.stop, stop{t, true})
		}
	}
}

// giveBackStrays gives back what the store has as ours and nobody here has ever seen: the answer that brought it
// was lost for good (P5).
func (r *reactor) giveBackStrays(ts []rota.Try, now rota.Elapsed) {
	for _, t := range ts {
		if r.held[t] != nil || r.strays[t] {
			continue
		}
		r.strays[t] = true
		r.log.Warn("an attempt that never came here is given back", "task", t.Task, "attempt", t.Attempt)
		r.gather(&finish{Finish: rota.Finish{Try: t, Outcome: rota.OutcomeReturned,
			Reason: "the node never received it"}, ended: now}, now)
	}
}
