package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
)

// open opens the session. While the service is not available it goes on trying, until ctx ends.
func (n *Node) open(ctx context.Context) (rota.Opened, error) {
	o := rota.Opening{Session: n.opts.Session, Node: n.self(), Key: n.opts.Key, TTL: rota.Duration(n.opts.TTL), OnStoreLoss: n.opts.OnStoreLoss,
		Sole: !n.opts.Aside, Others: n.opts.Others, Started: n.opts.Started, Force: n.opts.Force}
	again := afterFailure()
	for {
		sent := n.elapsed()
		at.Point("daemon: before opening")
		opened, err := n.svc.OpenSession(ctx, o)
		at.Point("daemon: after opening")
		if err == nil {
			n.opened(opened, sent)
			return opened, nil
		}
		if !errors.Is(err, rota.ErrUnavailable) {
			return opened, fmt.Errorf("open a session for node %s: %w", n.opts.Name, err)
		}
		if !again.begun() {
			n.log.Warn("session not opened yet; trying again", "err", err)
		}
		if !sleep(ctx, again.more()) {
			return opened, fmt.Errorf("open a session for node %s: %w", n.opts.Name, err)
		}
	}
}

// opened takes what the session has, whatever was asked for: it may have been opened long ago.
func (n *Node) opened(o rota.Opened, sent rota.Elapsed) {
	if o.TTL > 0 {
		n.opts.TTL = o.TTL.D()
	}
	if o.OnStoreLoss != "" {
		n.opts.OnStoreLoss = o.OnStoreLoss
	}
	if o.Lost {
		n.log.Warn("what goes on in a session that is lost is let end", "session", n.opts.Session, "resumed", len(n.opts.Resumed))
		n.leased.over = true
		return
	}
	n.lease(sent)
	if n.opts.Opened != nil {
		n.opts.Opened()
	}
	n.log.Info("session opened", "session", n.opts.Session, "slots", n.opts.Slots, "resumed", len(n.opts.Resumed))
}

// Self is the node as it is now, for people at its own socket.
func (n *Node) Self() rota.Node {
	x, stats, sample := n.self(), n.Stats(), n.machine()
	sample.At = time.Now()
	x.State, x.Running, x.Started, x.Seen, x.Sample = stats.State, stats.Running, n.started, sample.At, &sample
	return x
}

// self is the node as the others see it. Its times are the store's to set.
func (n *Node) self() rota.Node {
	executors := make(map[string]string, len(n.executors))
	for name, e := range n.executors {
		executors[name] = e.Version()
	}
	host, _ := os.Hostname() // it is for people
	return rota.Node{Name: n.opts.Name, Version: rota.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH, Host: host, Folder: n.opts.Folder,
		PID: os.Getpid(), Slots: n.opts.Slots, Queues: n.opts.Queues, Labels: n.opts.Labels, Offers: n.opts.Offers, NoShell: n.opts.NoShell, Executors: executors,
		Transient: n.opts.Transient, API: n.opts.API, State: rota.NodeUp}
}

// closeSession ends the session cleanly. The work is done by then: a service that does not answer gets a few tries.
func (n *Node) closeSession(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	again := afterFailure()
	for {
		err := n.svc.CloseSession(ctx, n.opts.Session)
		if err == nil {
			n.log.Info("session closed", "session", n.opts.Session)
			return nil
		}
		if !errors.Is(err, rota.ErrUnavailable) || !sleep(ctx, again.more()) {
			return fmt.Errorf("close the session of node %s: %w", n.opts.Name, err)
		}
	}
}

// awaitTime is how long one Await waits. Its end without news makes the node ask for work all the same: polling
// stays on behind every notification.
const awaitTime = 30 * time.Second

// await brings the loop news of work and of attempts to be ended.
func (n *Node) await(ctx context.Context) {
	failed := afterFailure()
	hot := pauses{first: time.Millisecond, cap: 50 * time.Millisecond} // a service that answers at once must not spin us
	for {
		asked := n.elapsed()
		news, err := n.svc.Await(ctx, n.opts.Session, awaitTime)
		took := n.elapsed().Sub(asked)
		pause := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, rota.ErrLeaseLost):
			n.post(func(r *reactor, now rota.Elapsed) { r.lose(err, now) })
			return
		case err != nil:
			if !failed.begun() {
				n.log.Warn("no news of work; trying again", "err", err)
			}
			pause = failed.more()
		default:
			failed.reset()
			n.show(ctx, news.Looks)
			news.Ready = news.Ready || took >= awaitTime
			n.post(func(r *reactor, now rota.Elapsed) {
				r.news(news)
				r.endings(news.Ending, now)
				r.toDrain(news.Drain, now)
				if news.Pause != nil {
					r.toPause(*news.Pause, now)
				}
			})
			if took > time.Millisecond {
				hot.reset()
			} else {
				pause = hot.more()
			}
		}
		if pause > 0 && !sleep(ctx, pause) {
			return
		}
	}
}

// renew sends one renewal and brings its answer to the loop.
func (n *Node) renew(ctx context.Context, rn rota.Renewal) {
	ctx, cancel := context.WithTimeout(ctx, n.opts.TTL/3)
	defer cancel()
	n.sample(&rn)
	rn.Skew = n.skew.ahead.Microseconds()
	sent := n.elapsed()
	ans, err := n.svc.Renew(ctx, rn)
	if err == nil {
		n.lease(sent)
		n.skew.measure(n.opts.Now(), ans.Now, n.elapsed().Sub(sent), n.log)
	}
	if len(ans.Strays) > 0 {
		ans.Strays = without(ans.Strays, n.keeper.Held())
	}
	n.post(func(r *reactor, now rota.Elapsed) { r.renewed(ans, err, now) })
}

const leaseMargin = 5 // a fifth of the TTL

// leased is the keeper's lease as it was set last.
type leased struct {
	mu    sync.Mutex
	until rota.Elapsed
	over  bool // the session is lost: it is never set later again
}

// lease tells the keeper until when it may run what has no tolerance, now that a renewal is known to be committed that
// was sent at a time: nobody declares the session lost before a whole TTL after that (P2, P4). The margin is for clocks
// that differ in pace, and for what takes its time to die.
func (n *Node) lease(sent rota.Elapsed) {
	l := &n.leased
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.until = sent + rota.Elapsed(n.opts.TTL-n.opts.TTL/leaseMargin)
	n.keeper.Lease(l.until)
}

// unlease ends the lease now, if it has not ended: the session is lost. The keeper ends what does not tolerate that, and
// goes on reckoning from there for what tolerates some time (P3, P8).
func (n *Node) unlease() {
	l := &n.leased
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	n.keeper.Lease(min(l.until, n.elapsed()))
}

// LeaseOf is how long an attempt that tolerates nothing runs on after the last renewal was sent.
func LeaseOf(ttl time.Duration) time.Duration { return ttl - ttl/leaseMargin }

// without is the tries of a that are not in b.
func without(a, b []rota.Try) []rota.Try {
	in := make(map[rota.Try]bool, len(b))
	for _, t := range b {
		in[t] = true
	}
	var out []rota.Try
	for _, t := range a {
		if !in[t] {
			out = append(out, t)
		}
	}
	return out
}
