// Package serve lets a Rota node run the jobs of a jar: it claims a job when the node has room for it, submits it to the
// node's own queue, and moves it to the completed jar when it has ended. To the store it is a job like any other.
//
// What it promises: a job that it has claimed is submitted once, whatever is killed meanwhile, because the claim has a key
// that lies beside the job, and the submission has the same. What runs when it is told to leave goes on, and the next one
// of the node follows it; what has not started goes back to the jar.
//
// It touches the service it is given, the full texts of ended attempts' output, and through package jar the jar.
package serve

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
)

// Options are what it takes to serve a jar.
type Options struct {
	Settings jar.Settings
	Holder   string // marks what the node holds in the jar, over all its lives
	Service  rota.JobService
	Node     string
	Env      []string // what jobs inherit
	Slots    *Slots
	// Text is the file of an attempt's whole output, which is there when the store has kept a part of it only.
	Text func(try rota.Try, s rota.Stream) string
	Log  *slog.Logger
}

// source is a jar that is served.
type source struct {
	Options
	jar.Jar
	worker *jar.Worker
	wake   chan struct{} // told when a job has ended
	work   sync.WaitGroup

	held atomic.Int64 // jobs that are not over

	moving sync.Mutex // of those that end at the same time one is moved at a time
}

// Run serves a jar until ctx ends, or a file in the worker's directory tells it to stop. It first takes up what an earlier
// life of the node has claimed. When it returns, it has told others that it has gone.
func Run(ctx context.Context, o Options) error {
	life := jar.Here(o.Settings.Node)
	life.Categories, life.Holder = o.Settings.Categories, o.Holder
	earlier, err := o.Settings.HeldBy(o.Holder, o.Settings.Node)
	if err != nil {
		return err
	}
	w, err := o.Settings.Register(life, "")
	if err != nil {
		return err
	}
	s := &source{Options: o, Jar: o.Settings.Jar, worker: w, wake: make(chan struct{}, 1)}
	s.Log = o.Log.With("jar", s.Home, "worker", w.Name())
	s.Log.Info("a jar is served", "taken over", len(earlier))
	s.say(jar.Waiting)
	for _, c := range earlier {
		h := s.newHold()
		s.Slots.take(ctx, h, true)
		s.hand(ctx, h, c)
	}
	s.serve(ctx)
	s.work.Wait()
	s.say(jar.Stopped)
	return nil
}

// serve claims until it is to leave.
func (s *source) serve(ctx context.Context) {
	beat := time.NewTicker(jar.Beat)
	defer beat.Stop()
	for ctx.Err() == nil {
		told, err := s.worker.Told()
		if err != nil || told == jar.ToStop {
			s.Log.Info("the jar is not served any more", "err", err)
			return
		}
		if told == jar.ToPause {
			s.say(jar.Paused)
		} else if s.claim(ctx) {
			continue
		}
		pause := time.NewTimer(jar.Jittered(s.Settings.Pause, rand.Float64()))
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-pause.C:
		case <-beat.C:
			s.sayWhatIsDone()
		}
		pause.Stop()
	}
}

// claim claims a job if the node can start it at once, and reports whether it did: others may have room when it has none.
func (s *source) claim(ctx context.Context) bool {
	h := s.newHold()
	if !s.Slots.take(ctx, h, false) {
		s.sayWhatIsDone()
		return false
	}
	c, err := s.worker.Claim()
	if err != nil {
		s.Log.Error("no job can be claimed", "err", err)
	}
	if c == nil {
		s.Slots.free(h)
		s.sayWhatIsDone()
		return false
	}
	c.Show()
	s.say(jar.Working)
	s.hand(ctx, h, c)
	return true
}

// hand gives a claimed job to the node, and follows it beside.
func (s *source) hand(ctx context.Context, h *hold, c *jar.Claim) {
	s.held.Add(1)
	h.claim, h.log = c, s.Log.With("name", c.Name)
	s.work.Go(func() {
		h.follow(ctx)
		s.Slots.free(h)
		s.held.Add(-1)
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
}

func (s *source) sayWhatIsDone() {
	if s.held.Load() > 0 {
		s.say(jar.Working)
	} else {
		s.say(jar.Waiting)
	}
}

func (s *source) say(word string) {
	if err := s.worker.Say(word); err != nil {
		s.Log.Warn("others are not told what the node does", "state", word, "err", err)
	}
}

// hold is a job from its claim to its end.
type hold struct {
	*source
	claim *jar.Claim
	log   *slog.Logger
	job   rota.JobID
}

func (s *source) newHold() *hold { return &hold{source: s} }

// again does something until it works, or ctx ends; a service that does not answer may do so later.
func (h *hold) again(ctx context.Context, what string, do func() error) bool {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := do()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		h.log.Warn(what, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}
