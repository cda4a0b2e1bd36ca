package node

import (
	"errors"
	"time"

	"github.com/rotaqueue/rota"
)

// How long a node that goes down waits for the ends of what it ended to be recorded.
const (
	settleStopped = 10 * time.Second // after the last KILL
	settleLost    = 5 * time.Second
	settleLeaving = 3 * time.Second // for what has ended: what is not recorded by then, the keeper remembers
)

// drain stops claiming and gives back what has not started.
func (r *reactor) drain(now rota.Elapsed) {
	if r.mode != up {
		return
	}
	r.mode = draining
	r.log.Info("draining", "held", len(r.held))
	r.noMore(now)
}

// pause stops claiming, or goes on with it, as this machine wishes it. What runs, or waits in the keeper, is not touched.
func (r *reactor) pause(paused bool, now rota.Elapsed) { r.setPaused(paused, r.ordered, now) }

// toPause is told whether the service has it that the node is paused. It claims when neither says so.
func (r *reactor) toPause(asked bool, now rota.Elapsed) { r.setPaused(r.paused, asked, now) }

func (r *reactor) setPaused(here, ordered bool, now rota.Elapsed) {
	before := r.isPaused()
	r.paused, r.ordered = here, ordered
	if r.isPaused() == before {
		return
	}
	r.hungry, r.renewAt = true, now
	switch {
	case ordered:
		r.log.Info("paused, as somebody asked: nothing is claimed until rota node resume")
	case here:
		r.log.Info("paused: nothing is claimed")
	default:
		r.log.Info("goes on")
	}
}

// isPaused reports whether nothing is claimed for now.
func (r *reactor) isPaused() bool { return r.paused || r.ordered }

// toDrain is told whether somebody asked the service that the node drains. That is said again and again, and matters to
// a node that is up.
func (r *reactor) toDrain(asked bool, now rota.Elapsed) {
	if !asked || r.mode != up {
		return
	}
	r.drain(now)
	if r.opts.Draining != nil {
		r.opts.Draining()
	}
}

// leave stops claiming, and leaves what runs to the keeper.
func (r *reactor) leave(now rota.Elapsed) {
	if r.mode >= leaving {
		return
	}
	r.mode = leaving
	r.log.Info("leaving", "held", len(r.held))
	r.noMore(now)
	r.giveUpAt = now + rota.Elapsed(settleLeaving)
}

// stop ends what runs too: TERM now, KILL when the grace is over.
func (r *reactor) stop(now rota.Elapsed) {
	if r.mode >= stopping {
		return
	}
	r.mode = stopping
	r.log.Info("stopping", "held", len(r.held))
	r.noMore(now)
	for _, a := range r.in(inKeeper) {
		r.todo.stop = append(r.todo.stop, stop{a.Try, false})
	}
	r.killAt = now + rota.Elapsed(r.opts.StopGrace)
	r.giveUpAt = r.killAt + rota.Elapsed(settleStopped)
}

// lose ends at once what does not tolerate that the session is no longer ours: somebody else may run those tasks. What
// ended before, or never started, is still reported, once (P3). A store that is not durable, and a session that is gone for
// good, end everything.
func (r *reactor) lose(err error, now rota.Elapsed) {
	if r.mode == lost {
		return
	}
	stopped := r.mode == stopping
	r.mode, r.cause = lost, err
	r.noMore(now)
	switch {
	case errors.Is(err, ErrKeeperLost):
		for _, a := range r.in(inKeeper) {
			r.release(a) // nobody will ever tell how it ended
		}
	case errors.Is(err, rota.ErrLeaseLost) && !r.lapsed && !stopped:
		r.todo.unlease = true
	default:
		r.kill()
	}
	r.giveUpAt = now + rota.Elapsed(settleLost)
	if f := r.flight; f != nil && !f.out {
		f.claim, f.retryAt = 0, now
	}
}

// noMore gives back what has not started, and tells the others.
func (r *reactor) noMore(now rota.Elapsed) {
	r.todo.returns = true
	for _, s := range []stage{fetching, apart} {
		for _, a := range r.in(s) {
			r.giveBack(a, "the node takes no more", now)
		}
	}
	r.renewAt = now
}

func (r *reactor) kill() {
	for _, a := range r.in(inKeeper) {
		r.todo.stop = append(r.todo.stop, stop{a.Try, true})
	}
}

// decideStop kills what outlived its grace while the node stops.
func (r *reactor) decideStop(now rota.Elapsed) {
	switch r.mode {
	case stopping:
		if r.killAt != 0 && r.due(r.killAt, now) {
			r.killAt = 0
			r.kill()
		}
		r.due(r.giveUpAt, now)
	case leaving, lost:
		r.due(r.giveUpAt, now)
	}
}

// news is told what Await brought.
func (r *reactor) news(n rota.News) {
	if n.Ready {
		r.hungry = true
		if r.flight != nil {
			r.flight.news = true
		}
	}
}

// endings is told which attempts somebody asked to end (P9). The keeper is told once, and again when kill follows
// cancel.
func (r *reactor) endings(es []rota.EndingTry, now rota.Elapsed) {
	for _, e := range es {
		a := r.held[e.Try]
		switch {
		case a == nil:
			if r.flight != nil && r.flight.claim > 0 {
				r.early[e.Try] = e.How
			}
		case a.asked == e.How || a.asked == rota.EndingKill:
		default:
			a.asked = e.How
			switch a.stage {
			case fetching, apart:
				r.giveBack(a, "it was asked to end before it started", now)
			case inKeeper:
				r.todo.stop = append(r.todo.stop, stop{e.Try, e.How == rota.EndingKill})
			}
		}
	}
}

// decideRenewal renews the lease every third of its time.
func (r *reactor) decideRenewal(now rota.Elapsed) {
	if r.mode == lost || r.renewing || !r.due(r.renewAt, now) {
		return
	}
	r.renewing = true
	r.renewAt = now + rota.Elapsed(r.opts.TTL/3)
	r.todo.renew = &rota.Renewal{Session: r.opts.Session, Seq: r.seq, Held: r.tries(), Lost: r.lapsed}
	if !r.opts.Aside {
		r.todo.renew.State = r.state()
	}
}
