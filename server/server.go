// Package server is Rota's Service over a Store. It decides what a store does not: who may do what, what a
// submission leaves open, who is to be woken, and when background work is due.
//
// It keeps nothing that matters beyond the Store: what it holds in memory are wakes and hints, so any number of
// servers may work on one store, and a restart loses nothing.
//
// It touches the Store, a clock and a log; never SQL, HTTP or processes.
package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// Options says how a server works. The zero value is a whole server without live output or retention.
type Options struct {
	Log *slog.Logger // none: nothing is logged

	Node string // the node that this server belongs to
	API  string // address of the API over it, as others reach it
	// Transient says that the node lives as long as the command that started it, and Home names its session: what is
	// submitted through this server is stamped with Home, and nothing else is claimed through it (P27).
	Transient bool
	Home      rota.SessionID

	// TrustSubmitters lets submitters submit over the network, although their jobs run as the node's own user (P28).
	TrustSubmitters bool
	// RunAs says who may have jobs run as whom, where the node can run them as others; nil: it cannot. What is submitted is
	// held to it at once where nobody else can run it; Callers says that there may be others who can (P28).
	RunAs   *rota.RunAs
	Callers bool
	// Courier tells people and programs what they asked to be told, Tell is who is told of jobs that name nobody, and Link
	// where a job is to be seen.
	Courier Courier
	Tell    rota.Tell
	Link    string
	// SecretKey seals secrets: 32 bytes; none: this server has no secrets.
	SecretKey []byte
	// CatchUp is how many jobs a second start at most of those that make up for due times that were missed; 0: all at once.
	CatchUp   int
	Retention rota.Retention
	Objects   rota.Objects        // where the bytes of blobs are; none: there are no blobs
	Live      Live                // where running attempts' output is read; none: only what the store has
	Elapsed   func() rota.Elapsed // default: clock.Elapsed
}

// Live is a source of output that is not in the store: of attempts that run on this node, or have ended while
// their full text is still on its disk. False says that the attempt's output is not here.
type Live interface {
	Output(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error)
}

// Server implements rota.Service over a rota.Store. Its methods may be called at once by many; the background work
// is done while Run runs.
type Server struct {
	store     rota.Store
	opts      Options
	log       *slog.Logger
	hub       hub
	loops     loops
	elapsed   func() rota.Elapsed
	observer  observer // the loop's
	sessions  sessions
	home      home
	signer    signer
	meters    *meters
	passwords *passwords
	oldest    oldest
	mailed    map[string]time.Time // the delivering loop's: when an address got its last mail
	shared    atomic.Pointer[bool] // whether others write to the store; nil: not known yet
	broken    chan error           // holds the first ErrBroken that the store gave
}

var _ rota.Service = (*Server)(nil)

// New makes a server. It does not touch the store yet.
func New(store rota.Store, opts Options) *Server {
	s := &Server{store: store, opts: opts, log: opts.Log, elapsed: opts.Elapsed, broken: make(chan error, 1)}
	if s.elapsed == nil {
		s.elapsed = clock.Elapsed
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.loops = s.newLoops()
	s.meters = newMeters()
	s.passwords = newPasswords()
	return s
}

// Run does the background work until ctx ends, and then returns nil. It returns an error only when the store is no
// longer durable (rota.ErrBroken): the node must stop.
func (s *Server) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var work sync.WaitGroup
	for _, l := range s.loops.all(s.opts.Transient) {
		work.Go(func() {
			if err := l.run(ctx, s.log); err != nil {
				stop(err)
			}
		})
	}
	work.Go(func() {
		if err := s.store.Listen(ctx, s.hear); err != nil && ctx.Err() == nil {
			s.log.Error("what other servers tell is not heard: they are looked after instead", "error", err)
		}
	})
	work.Go(func() {
		select {
		case err := <-s.broken:
			stop(err)
		case <-ctx.Done():
		}
	})
	work.Wait()
	if err := context.Cause(ctx); errors.Is(err, rota.ErrBroken) {
		return err
	}
	return nil
}
