package server

import (
	"context"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// sessions holds what this server remembers of each session. All of it is hints: a session that another server
// served before, or this one before a restart, is served as well (P29).
type sessions struct {
	mu  sync.Mutex
	all map[rota.SessionID]*session
}

// session remembers what its node was told.
type session struct {
	mu     sync.Mutex
	hungry bool   // there may be work that it was not told of and did not look for
	seen   uint64 // what of hub.claimable it knows
	busy   int    // attempts that it may hold
	seq    int64  // its latest exchange, as far as this server knows
	ends   uint64 // what of hub.endings it knows
	told   map[rota.EndingTry]bool
	looked uint64 // what of hub.looks it knows
	shown  map[rota.Look]bool
	hot    time.Time // until then it is looked after often
	drain  bool      // its node was asked to drain, and it was not told yet
	pause  *bool     // likewise, to pause or to go on
}

func (ss *sessions) get(id rota.SessionID) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.all == nil {
		ss.all = map[rota.SessionID]*session{}
	}
	n := ss.all[id]
	if n == nil {
		// What it holds is not known before it renews: look for endings until then.
		n = &session{hungry: true, busy: 1}
		ss.all[id] = n
	}
	return n
}

// drain takes note that a session's node was asked to drain. One that another server serves hears it when it renews.
func (ss *sessions) drain(id rota.SessionID) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if n := ss.all[id]; n != nil {
		n.mu.Lock()
		n.drain = true
		n.mu.Unlock()
	}
}

// pause takes note of whether a session's node was asked to pause, or to go on; as drain does.
func (ss *sessions) pause(id rota.SessionID, paused bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if n := ss.all[id]; n != nil {
		n.mu.Lock()
		n.pause = &paused
		n.mu.Unlock()
	}
}

// sends takes note of an exchange on its way, and reports whether it is certainly a new one: the answer to one that is
// repeated tells how things were before.
func (n *session) sends(seq int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := seq == n.seq+1
	n.seq = seq
	return first
}

func (ss *sessions) forget(id rota.SessionID) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.all, id)
}

// OpenSession registers a node and opens its session.
func (s *Server) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	p, err := s.allow(ctx, "open session")
	if err == nil {
		err = ownName(p, &o)
	}
	if err != nil {
		return rota.Opened{}, err
	}
	switch {
	case o.Session == "" || len(o.Session) > rota.MaxKey:
		return rota.Opened{}, rota.Invalid("session %q: has from 1 to %d bytes", o.Session, rota.MaxKey)
	case rota.CheckQueueName(o.Node.Name) != nil:
		return rota.Opened{}, rota.Invalid("node %q: a name has up to %d letters, digits, '.', '_' and '-'", o.Node.Name, rota.MaxQueueName)
	case o.TTL < 0:
		return rota.Opened{}, rota.Invalid("session %s: a lease of %v", o.Session, o.TTL)
	}
	if o.OnStoreLoss != "" {
		if _, err := rota.ParseOnStoreLoss(string(o.OnStoreLoss)); err != nil {
			return rota.Opened{}, err
		}
	}
	opened, err := s.store.OpenSession(ctx, o)
	if err != nil {
		return rota.Opened{}, s.outward(err)
	}
	opened.Servers = s.addresses(ctx, p)
	s.sessions.get(o.Session) // from now on it can be told something
	if o.Sole {
		s.loops.rescuing.wake()
	}
	return opened, nil
}

// Renew keeps a session's lease.
func (s *Server) Renew(ctx context.Context, r rota.Renewal) (rota.Renewed, error) {
	p, err := s.allow(ctx, "renew")
	if err == nil {
		err = s.ownSession(ctx, p, r.Session)
	}
	if err != nil {
		return rota.Renewed{}, err
	}
	r.Samples = r.Samples[:min(len(r.Samples), rota.MaxSamples)] // a lease is not refused for them
	results, err := s.store.Renew(ctx, []rota.Renewal{r})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return rota.Renewed{}, s.outward(err)
	}
	n := s.sessions.get(r.Session)
	n.mu.Lock()
	n.busy = len(r.Held)
	n.mu.Unlock()
	renewed := results[0].Renewed
	renewed.Servers = s.addresses(ctx, p)
	return renewed, nil
}

// CloseSession ends a session cleanly.
func (s *Server) CloseSession(ctx context.Context, id rota.SessionID) error {
	p, err := s.allow(ctx, "close session")
	if err == nil {
		err = s.ownSession(ctx, p, id)
	}
	if err != nil {
		return err
	}
	if err := s.store.CloseSession(ctx, id); err != nil {
		return s.outward(err)
	}
	s.sessions.forget(id)
	s.loops.rescuing.wake()
	return nil
}
