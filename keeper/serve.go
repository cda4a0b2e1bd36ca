package keeper

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

// Serve serves a keeper to a daemon, one at a time: one that connects takes over from the one before, whose connection
// is closed. A daemon that goes away ends nothing: what runs goes on, what waits starts
// when its turn comes, and ends are remembered until they are forgotten and told again to the daemon that comes next
// (P10).
//
// It returns nil when a daemon told it to end, or none has come for a while and nothing is held, or its folder is gone and
// nothing runs; an error when the listener fails, as it does when the caller closes it. However it returns, the listener
// and the keeper are closed.
func Serve(l net.Listener, k *Local) error {
	s := &service{keeper: k, hello: newHello(), listener: l, open: map[*wire]struct{}{}}
	s.alone = time.AfterFunc(alone, s.lookWhenAlone)
	err := s.accept()
	s.alone.Stop()
	s.closeAll()
	s.talks.Wait()
	return errors.Join(err, k.Close())
}

// service is a keeper that is served.
type service struct {
	keeper   *Local
	hello    Hello
	listener net.Listener
	talks    sync.WaitGroup

	turn    sync.Mutex // held by who takes over
	current *daemon
	alone   *time.Timer // runs while there is no daemon

	mu   sync.Mutex
	open map[*wire]struct{} // nil: no more are taken
	over bool               // it was told to go, and goes
}

// daemon is the one that is connected.
type daemon struct {
	*wire
	gone chan struct{} // closed when it asks nothing any more
}

// alone is how long the keeper waits for another daemon before it looks whether anybody can still need it.
const alone = 20 * time.Second

// lookWhenAlone ends a keeper that nobody can need: it holds nothing, or its folder is gone, with which no daemon would
// ever find it. What runs is never ended so.
func (s *service) lookWhenAlone() {
	_, err := os.Stat(s.keeper.dir)
	lost := errors.Is(err, fs.ErrNotExist)
	if s.keeper.isEmpty() || lost && !s.keeper.isRunning() {
		s.keeper.log.Info("no daemon has come, and nothing is held; the keeper ends", "lost", lost)
		s.goAway()
		return
	}
	s.alone.Reset(alone)
}

func newHello() Hello {
	return Hello{Protocol: Protocol, Version: rota.Version, PID: os.Getpid(),
		Session: rota.SessionID(random(16)), Secret: random(32)}
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// pauseOfAccept is for when there are no descriptors left: jobs run on meanwhile.
const pauseOfAccept = 100 * time.Millisecond

func (s *service) accept() error {
	for {
		c, err := s.listener.Accept()
		switch {
		case err == nil:
			w := newWire(c)
			if s.add(w) {
				s.talks.Go(func() { s.talk(w) })
			}
		case s.isOver():
			return nil
		case errors.Is(err, net.ErrClosed):
			return rota.Errorf(rota.ErrUnavailable, "socket of the keeper: %v", err)
		default:
			s.keeper.log.Error("no daemon can connect to the keeper", "error", err)
			time.Sleep(pauseOfAccept)
		}
	}
}

func (s *service) add(w *wire) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		_ = w.Close()
		return false
	}
	s.open[w] = struct{}{}
	return true
}

func (s *service) remove(w *wire) {
	_ = w.Close()
	s.mu.Lock()
	delete(s.open, w)
	s.mu.Unlock()
}

func (s *service) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// goAway makes Serve return.
func (s *service) goAway() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	_ = s.listener.Close()
}

func (s *service) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.open {
		_ = w.Close()
	}
	s.open = nil
	_ = s.listener.Close()
}

// talk is one connection. Until it has said what it is it harms nobody.
func (s *service) talk(w *wire) {
	defer s.remove(w)
	log := s.keeper.log
	if err := checkPeer(w); err != nil {
		log.Warn("a connection to the keeper was refused", "error", err)
		return
	}
	var first request
	if err := w.read(&first); err != nil || first.Op != opHello {
		log.Warn("a connection to the keeper was closed: what came first is no greeting", "error", err)
		return
	}
	if first.Protocol != Protocol {
		err := rota.Errorf(rota.ErrUnsupported, "the keeper %s of process %d speaks protocol %d, and the daemon %d",
			s.hello.Version, s.hello.PID, Protocol, first.Protocol)
		_ = w.write(answer{ID: first.ID, Error: packError(err)})
		return
	}
	d := s.takeOver(w)
	defer s.left(d)
	switch err := s.serve(d, first.ID); {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		log.Info("the daemon is gone")
	case err != nil:
		log.Warn("the daemon is gone", "error", err)
	}
}

// takeOver makes a connection the daemon's. The one before has no part in what comes after.
func (s *service) takeOver(w *wire) *daemon {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.current != nil {
		_ = s.current.Close()
		<-s.current.gone
	}
	s.alone.Stop()
	s.current = &daemon{w, make(chan struct{})}
	return s.current
}

// left says that a daemon has gone.
func (s *service) left(d *daemon) {
	if !s.isOver() {
		s.alone.Reset(alone) // whoever takes over stops it
	}
	close(d.gone)
}

// serve does what the daemon asks until it goes or the keeper does.
func (s *service) serve(d *daemon, id uint64) error {
	held, exits, err := s.keeper.handOver()
	if err != nil {
		return d.write(answer{ID: id, Error: packError(err)})
	}
	for part := range batches(held, sizeOfHeld) {
		if err := d.write(answer{Held: part}); err != nil {
			return err
		}
	}
	if err := d.write(answer{ID: id, Hello: &s.hello}); err != nil {
		return err
	}
	var reporting sync.WaitGroup
	left := make(chan struct{})
	reporting.Go(func() { d.report(exits, left) })
	defer reporting.Wait()
	defer d.Close() // a report under way ends with it
	defer close(left)
	for {
		var r request
		if err := d.read(&r); err != nil {
			return err
		}
		a, err := s.do(&r)
		if r.ID != 0 {
			a.ID, a.Error = r.ID, packError(err)
			if err := d.write(a); err != nil {
				return err
			}
		}
		if r.Op == opEnd {
			s.goAway()
			return nil
		}
	}
}

// report tells the daemon of ends until it has left.
func (d *daemon) report(exits <-chan []executor.Exit, left <-chan struct{}) {
	for {
		select {
		case batch, more := <-exits:
			if !more {
				return
			}
			for part := range batches(batch, sizeOfExit) {
				at.Point("keeper: before telling")
				if d.write(answer{Exits: packExits(part)}) != nil {
					_ = d.Close()
					return
				}
			}
		case <-left:
			return
		}
	}
}

// do is one request.
func (s *service) do(r *request) (a answer, err error) {
	k := s.keeper
	switch r.Op {
	case opStart:
		ps, err := unpackProcesses(r.Processes)
		if err != nil {
			return a, err
		}
		err = k.Start(ps)
		at.Point("keeper: after start")
		return a, err
	case opStop:
		for _, try := range r.Tries {
			k.Stop(try, r.Now)
		}
	case opReturn:
		k.Return(r.Tries...)
	case opHeld:
		a.Tries = k.Held()
	case opForget:
		at.Point("keeper: before forgetting")
		k.Forget(r.Tries)
	case opFile:
		for _, try := range r.Tries {
			a.Path = k.File(try, r.Stream)
		}
	case opSample:
		a.Samples = k.Samples()
	case opCheck:
		return a, k.Check()
	case opLease:
		k.Lease(r.Until)
	case opResize:
		k.Resize(r.Slots)
	case opEnd:
		return a, k.Close()
	default:
		return a, rota.Errorf(rota.ErrUnsupported, "the keeper %s does not know %q", s.hello.Version, r.Op)
	}
	return a, nil
}
