package node

import (
	"context"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

// loop is the one goroutine that owns the state. It ends when the reactor is done. Calls are made under calls,
// which outlives ctx so that a stopping node can still report. It returns how many attempts it leaves behind.
func (n *Node) loop(ctx, calls context.Context, opened rota.Opened) (held int, err error) {
	r := newReactor(n.opts, n.log, n.elapsed())
	r.prepare, r.cache = n.preparer(), n.cache
	r.resume(opened, n.opts.Resumed)
	exits, drain, leave, stopped := n.keeper.Exits(), n.drain, n.leave, ctx.Done()
	select {
	case <-drain: // told to before it began
		r.drain(n.elapsed())
	default:
		if n.opts.Aside || opened.Lost {
			r.drain(n.elapsed())
		}
		r.toDrain(opened.Drain, n.elapsed())
		r.toPause(opened.Pause, n.elapsed())
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := n.elapsed()
		r.decide(now)
		n.perform(calls, r)
		n.publish(r)
		if done, err := r.done(now); done {
			if !r.checked && len(r.held) == 0 {
				return 1, err // perhaps there is one that was never received: the session is not to be closed
			}
			return len(r.held), err
		}
		timer.Reset(min(r.wake, now+rota.Elapsed(time.Hour)).Sub(now))
		select {
		case e := <-n.events:
			e(r, n.elapsed())
		case xs, ok := <-exits:
			if !ok {
				exits = nil
				r.lose(ErrKeeperLost, n.elapsed())
				continue
			}
			at.Point("daemon: at report")
			r.exited(xs, n.elapsed())
		case <-drain:
			drain = nil
			r.drain(n.elapsed())
		case <-leave:
			leave = nil
			r.leave(n.elapsed())
		case <-stopped:
			stopped = nil
			r.stop(n.elapsed())
		case <-timer.C:
		}
		n.more(r, exits)
	}
}

// ErrKeeperLost is why a node ends whose keeper is dead or was closed.
var ErrKeeperLost = errors.New("the keeper is lost")

// more applies what else has come already, so that one decision serves it all.
func (n *Node) more(r *reactor, exits <-chan []executor.Exit) {
	for range cap(n.events) {
		select {
		case e := <-n.events:
			e(r, n.elapsed())
		case xs, ok := <-exits:
			if !ok {
				return // the loop meets it again
			}
			r.exited(xs, n.elapsed())
		default:
			return
		}
	}
}

// perform does what the reactor wants done. What may wait runs beside the loop.
func (n *Node) perform(calls context.Context, r *reactor) {
	todo := r.take()
	if len(todo.start) > 0 {
		at.Point("daemon: before start")
		if err := n.keeper.Start(todo.start); err != nil {
			r.notStarted(todo.start, err, n.elapsed())
			r.wake = 0 // there is something to decide at once
		}
	}
	if len(todo.start) > 0 {
		at.Point("daemon: after start")
	}
	if todo.returns {
		n.keeper.Return()
	}
	if todo.unlease {
		n.unlease()
	}
	for _, s := range todo.stop {
		n.keeper.Stop(s.Try, s.now)
	}
	for _, job := range todo.unlink {
		n.dropInput(job)
	}
	for _, what := range todo.unfetch {
		n.stopFetching(what)
	}
	n.performBeside(calls, todo)
}

func (n *Node) performBeside(calls context.Context, todo actions) {
	if x := todo.exchange; x != nil {
		n.calls.Go(func() { n.exchange(calls, *x) })
	}
	if rn := todo.renew; rn != nil {
		n.calls.Go(func() { n.renew(calls, *rn) })
	}
	if len(todo.collect) > 0 {
		n.calls.Go(func() { n.collect(calls, todo.collect) })
	}
	for _, f := range todo.fetch {
		n.fetch(calls, f)
	}
	if len(todo.spent)+len(todo.forget) > 0 {
		n.calls.Go(func() { n.letGo(todo.spent, todo.forget) })
	}
	if todo.sweep {
		n.calls.Go(n.listTexts)
	}
	if todo.check {
		n.calls.Go(func() {
			err := n.keeper.Check()
			n.post(func(r *reactor, now rota.Elapsed) { r.couldStart(err, now) })
		})
	}
}

// exchange sends one exchange and brings its answer to the loop.
func (n *Node) exchange(ctx context.Context, x rota.Exchange) {
	ctx, cancel := context.WithTimeout(ctx, n.opts.TTL)
	defer cancel()
	ans, err := n.svc.Exchange(ctx, x)
	n.post(func(r *reactor, now rota.Elapsed) { r.answered(ans, err, now) })
}

func (n *Node) publish(r *reactor) {
	s := r.figures()
	n.mu.Lock()
	n.stats = s
	n.mu.Unlock()
}
