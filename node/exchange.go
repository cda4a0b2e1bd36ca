package node

import (
	"errors"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// What one exchange carries at most, so that it fits into a request and a transaction (P18).
const (
	maxFinishes    = 500
	maxClaim       = 500
	maxInlineBytes = 1 << 20
)

// flight is an exchange under way. Until it is answered it is sent again and again under the same number, and
// nothing else is sent (P5).
type flight struct {
	seq      int64
	finishes []*finish
	claim    int
	sent     rota.Elapsed // the last time
	out      bool         // sent, and no answer yet
	news     bool         // of work, since it was first sent
	again    pauses
	retryAt  rota.Elapsed
}

// decideExchange sends what has ended and claims what fits, if there is anything of it and nothing is under way.
func (r *reactor) decideExchange(now rota.Elapsed) {
	if r.mute {
		r.abandon(r.ready)
		r.ready = nil
		return
	}
	if f := r.flight; f != nil {
		if !f.out && r.due(f.retryAt, now) {
			r.send(f, now)
		}
		return
	}
	if !r.checked && r.mode != lost {
		return
	}
	if r.due(r.lookAt, now) { // time alone may have let something become claimable
		r.hungry, r.lookAt = true, never
	}
	room := r.room(now)
	if len(r.ready) == 0 && (room == 0 || !r.hungry) || r.lingers(now) {
		return
	}
	r.flight = &flight{seq: r.seq + 1, finishes: r.portion(), claim: room, again: afterFailure()}
	r.send(r.flight, now)
}

// portion takes from what is ready as much as one exchange carries.
func (r *reactor) portion() []*finish {
	n, bytes := 0, 0
	for _, f := range r.ready {
		for _, c := range f.Output {
			bytes += len(c.Data)
		}
		if n == maxFinishes || (n > 0 && bytes > maxInlineBytes) {
			break
		}
		n++
	}
	some := r.ready[:n:n]
	r.ready = r.ready[n:]
	return some
}

func (r *reactor) send(f *flight, now rota.Elapsed) {
	f.sent, f.out = now, true
	x := &rota.Exchange{Session: r.opts.Session, Seq: f.seq}
	for _, fin := range f.finishes {
		x.Finished = append(x.Finished, fin.at(now))
	}
	if f.claim > 0 {
		x.Claim = rota.Claim{Max: f.claim, Queues: r.opts.Queues}
		x.Claim.Held, x.Claim.Used = r.account(f)
	}
	r.todo.exchange = x
}

// account is what the node holds beyond what an exchange finishes: how many tasks by queue, and what they need.
func (r *reactor) account(f *flight) (held map[string]int, used rota.Resources) {
	if len(r.held) == len(f.finishes) {
		return nil, nil
	}
	held = map[string]int{}
	count := func(a *attempt, n int) {
		held[a.Queue] += n
		if len(a.Spec.Needs) > 0 {
			used = used.Less(a.Spec.Needs, -n)
		}
	}
	for _, a := range r.held {
		count(a, 1)
	}
	for _, fin := range f.finishes {
		if a := r.held[fin.Try]; a != nil {
			count(a, -1)
		}
	}
	return held, used
}

// answered is told the answer to the exchange under way, or that it failed.
func (r *reactor) answered(ans rota.Exchanged, err error, now rota.Elapsed) {
	f := r.flight
	f.out = false
	if err != nil {
		r.unanswered(f, err, now)
		return
	}
	if f.again.begun() {
		r.log.Info("the server answers again", "seq", f.seq)
	}
	r.flight, r.seq = nil, f.seq
	r.pace.exchanged(now.Sub(f.sent))
	r.stats.Exchanges++
	if f.claim > 0 {
		r.backlog = len(ans.Claimed) >= f.claim
		r.hungry = r.backlog || f.news
		if r.lookAt = never; ans.Again > 0 {
			r.lookAt = now + rota.Elapsed(ans.Again)
		}
	}
	r.claimed(ans.Claimed, now)
	r.recorded(f.finishes, ans.Refused)
	clear(r.early)
}

// unanswered deals with an exchange that failed. What can be mended by waiting is sent again as it was; a lost
// session ends the node, after one more exchange that only finishes (P3).
func (r *reactor) unanswered(f *flight, err error, now rota.Elapsed) {
	leaseLost := errors.Is(err, rota.ErrLeaseLost)
	if r.mode == lost || leaseLost || errors.Is(err, rota.ErrConflict) || errors.Is(err, rota.ErrBroken) {
		farewell := leaseLost && f.claim > 0 && len(f.finishes) > 0
		r.lose(err, now)
		if farewell {
			f.claim, f.retryAt = 0, now
			return
		}
		r.flight, r.mute = nil, true
		r.abandon(f.finishes)
		return
	}
	if !f.again.begun() {
		r.log.Warn("exchange not answered; sending it again", "seq", f.seq, "finished", len(f.finishes), "err", err)
	}
	f.retryAt = now + rota.Elapsed(f.again.more())
}

// abandon gives up on finishes that the store will not take.
func (r *reactor) abandon(fs []*finish) {
	for _, f := range fs {
		if a := r.held[f.Try]; a != nil {
			r.release(a)
		}
	}
}

// claimed starts what a claim brought.
func (r *reactor) claimed(as []rota.Assignment, now rota.Elapsed) {
	for i := range as {
		a := &attempt{Assignment: as[i]}
		if r.held[a.Try] != nil {
			continue
		}
		a.leased = r.opts.onStoreLoss(&a.Assignment).Tolerance() == 0
		r.stats.Claimed++
		r.hold(a, fetching)
		a.asked = r.early[a.Try]
		switch {
		case a.asked != "":
			r.giveBack(a, "it was asked to end before it started", now)
		case r.mode != up:
			r.giveBack(a, "the node takes no more", now)
		case a.Alone:
			r.enter(a, apart)
		default:
			r.begin(a, now)
		}
	}
}

// decideLone begins an attempt that is to run alone as soon as nothing else runs. Until it has ended nothing more is
// claimed: what took a keeper or a machine down before takes nobody else along (P7).
func (r *reactor) decideLone(now rota.Elapsed) {
	if r.lone != nil || r.at[apart] == 0 || r.at[fetching]+r.at[inKeeper] > 0 {
		return
	}
	r.lone = r.in(apart)[0]
	r.log.Warn("a task runs alone: its node went away while it ran, again and again", "task", r.lone.Task, "attempt", r.lone.Attempt)
	r.enter(r.lone, fetching)
	r.begin(r.lone, now)
}

// start prepares an attempt for the keeper. What cannot be prepared can never run: it is refused (P7).
func (r *reactor) start(a *attempt, now rota.Elapsed) {
	input := ""
	if a.HasInput && a.Spec.Stdin == "" {
		input = r.inputPath(a.Task.Job())
	}
	p, err := r.prepare(&a.Assignment, input)
	if err != nil {
		r.finish(a, &finish{Finish: rota.Finish{Try: a.Try, Outcome: rota.OutcomeRefused, Reason: err.Error()}, ended: now}, now)
		return
	}
	r.enter(a, inKeeper)
	r.todo.start = append(r.todo.start, p)
}

// notStarted is told that the keeper did not take processes. That is our failure: the tasks are given back. But when the
// keeper is lost, which its exits are about to tell, nobody here knows whether some were not started all the same: its
// journal does (P10).
func (r *reactor) notStarted(ps []executor.Process, err error, now rota.Elapsed) {
	if errors.Is(err, rota.ErrUnavailable) {
		return
	}
	r.log.Error("tasks not started and given back", "count", len(ps), "err", err)
	r.balk(now)
	for _, p := range ps {
		if a := r.held[p.Try]; a != nil && a.stage == inKeeper {
			r.giveBack(a, "the node could not start it: "+err.Error(), now)
		}
	}
}

// giveBack finishes an attempt that never started.
func (r *reactor) giveBack(a *attempt, why string, now rota.Elapsed) {
	r.finish(a, &finish{Finish: rota.Finish{Try: a.Try, Outcome: rota.OutcomeReturned, Reason: why}, ended: now}, now)
}

// finish gathers the end of an attempt for the next exchange.
func (r *reactor) finish(a *attempt, f *finish, now rota.Elapsed) {
	r.enter(a, ended)
	r.gather(f, now)
}

func (r *reactor) gather(f *finish, now rota.Elapsed) {
	if len(r.ready) == 0 {
		r.oldest = now
	}
	r.ready = append(r.ready, f)
}

// recorded lets go of what the store has recorded, or refused as no longer ours.
func (r *reactor) recorded(fs []*finish, refused []rota.Refusal) {
	why := make(map[rota.Try]string, len(refused))
	for _, f := range refused {
		why[f.Try] = f.Why
	}
	for _, f := range fs {
		delete(r.strays, f.Try)
		if text, no := why[f.Try]; no {
			r.log.Warn("an end was refused", "task", f.Task, "attempt", f.Attempt, "why", text)
			f.left += f.kept // the only copy
		} else {
			r.stats.Finished++
			r.todo.spent = append(r.todo.spent, f.spent...)
		}
		r.left += f.left
		if a := r.held[f.Try]; a != nil {
			if a.exit.Try == a.Try {
				r.todo.forget = append(r.todo.forget, a.Try)
			}
			r.release(a)
		}
	}
}
