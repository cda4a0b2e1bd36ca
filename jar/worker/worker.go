// Package worker runs the jobs of a jar, one after the other: it claims one, has a keeper run it, and moves it to the
// completed jar, for as long as the files of the jar do not tell it to pause or stop.
//
// What it promises: a job runs without arguments in a fresh scratch folder, which is removed after it, and in an
// environment of which it inherits what is named here and no more. Limits and timeouts are the keeper's. A job that
// could not be started for a reason that is not its own goes back to where it was.
//
// It touches the worker's directory, its scratch folder, the keeper it is given, and through package jar the jar.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
	"github.com/rotaqueue/rota/jar"
)

// Options are what a worker is made of. All but Timeout, Grace and Limits are needed.
type Options struct {
	Worker  *jar.Worker
	Keeper  executor.Keeper // for one process at a time
	Pause   time.Duration   // how long it sleeps when there is nothing to do
	Scratch string          // the folder that scratch folders are made in
	Env     []string        // what jobs inherit
	Timeout rota.Duration
	Grace   rota.Duration
	Limits  rota.Limits
	Log     *slog.Logger
	// Stop, when it is closed, tells the worker to end after the job that it runs.
	Stop <-chan struct{}
}

// worker is one that runs.
type worker struct {
	Options
	jobs    int64 // that it has run, and the present one
	brief   int   // how many of the latest were over in no time
	scratch scratch

	mu   sync.Mutex
	word string // what it last said
}

// Run works until it is told to stop. When ctx ends, the job that runs is ended, with its grace, and given back.
func Run(ctx context.Context, o Options) error {
	w := &worker{Options: o, scratch: scratch{dir: o.Scratch}}
	w.say(jar.Waiting)
	beating, stopBeat := context.WithCancel(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { w.beat(beating) })
	err := w.work(ctx)
	stopBeat()
	beat.Wait()
	w.say(jar.Stopped)
	return err
}

func (w *worker) work(ctx context.Context) error {
	for ctx.Err() == nil && !w.asked() {
		told, err := w.Worker.Told()
		switch {
		case err != nil:
			return err
		case told == jar.ToStop:
			w.Log.Info("told to stop")
			return nil
		case told == jar.ToPause:
			w.say(jar.Paused)
			w.sleep(ctx, w.Pause)
			continue
		}
		c, err := w.Worker.Claim()
		if err != nil {
			w.Log.Error("no job can be claimed", "err", err)
		}
		if c == nil {
			w.say(jar.Waiting)
			w.sleep(ctx, w.untilNext())
			continue
		}
		w.say(jar.Working)
		if !w.run(ctx, c) {
			w.sleep(ctx, w.Pause)
		}
	}
	return nil
}

// asked reports whether the worker is to end after its job.
func (w *worker) asked() bool {
	select {
	case <-w.Stop:
		return true
	default:
		return false
	}
}

// untilNext is how long it is until it is worth looking for a job again.
func (w *worker) untilNext() time.Duration {
	if soon := w.Worker.Soon(); soon != 0 {
		return max(min(w.Pause, soon.Sub(clock.Elapsed())), time.Millisecond)
	}
	return w.Pause
}

// sleep waits, a little more or less than it is told, or until somebody wants an end.
func (w *worker) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(jar.Jittered(d, rand.Float64()))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-w.Stop:
	}
}

// say tells others what the worker does, when that changes.
func (w *worker) say(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.word == word {
		return
	}
	w.word = word
	w.tell()
}

func (w *worker) tell() {
	if err := w.Worker.Say(w.word); err != nil {
		w.Log.Warn("others are not told what the worker does", "state", w.word, "err", err)
	}
}

// beat tells others now and then that the worker lives.
func (w *worker) beat(ctx context.Context) {
	tick := time.NewTicker(jar.Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.mu.Lock()
			w.tell()
			w.mu.Unlock()
		}
	}
}

// run runs a claimed job, and reports whether it could be run.
func (w *worker) run(ctx context.Context, c *jar.Claim) bool {
	w.jobs++
	began := clock.Elapsed()
	x, out, err := w.execute(ctx, c)
	log := w.Log.With("job", c.Name, "category", c.Category)
	if err != nil || x.Outcome == rota.OutcomeReturned || x.Outcome == rota.OutcomeEnded {
		if err == nil {
			err = errors.New(x.Reason)
		}
		log.Warn("a job is given back", "why", err)
		w.settle(ctx, log, c, func() error { return c.GiveBack() })
		return false
	}
	e := endOf(x)
	e.Out, e.Err = out[rota.Stdout], out[rota.Stderr]
	w.settle(ctx, log, c, func() error {
		name, err := c.Complete(e)
		if err == nil {
			log.Info("a job has ended", "outcome", x.Outcome, "code", e.Code, "took", clock.Elapsed().Sub(began), "completed", name)
		}
		return err
	})
	return true
}

// settle ends a claim, and does not give up while the disk does not let it: nothing else is claimed meanwhile. When ctx
// has ended it tries once, and leaves the rest to who recovers.
func (w *worker) settle(ctx context.Context, log *slog.Logger, c *jar.Claim, end func() error) {
	defer w.Worker.Done(c)
	for {
		err := end()
		if err == nil {
			return
		}
		log.Error("a job stays in the worker's directory", "err", err)
		if ctx.Err() != nil {
			return
		}
		w.sleep(ctx, w.Pause)
		if w.asked() {
			_ = end()
			return
		}
	}
}

// What a short job is, and how many of them make a row. In a row of short jobs the link in claimed is made only when a
// job turns out to be a longer one: nobody could see it before, and links that are made and removed all the time cost
// more than such jobs do (on ext4, half a millisecond each).
const (
	short    = 20 * time.Millisecond
	shortRow = 8
)

// execute has the keeper run a job, in a scratch folder that is gone when it returns. Its output is in the files that
// are returned.
func (w *worker) execute(ctx context.Context, c *jar.Claim) (x executor.Exit, out map[rota.Stream]string, err error) {
	var late <-chan time.Time
	if w.brief >= shortRow {
		t := time.NewTimer(short)
		defer t.Stop()
		late = t.C
	} else {
		c.Show()
	}
	at.Point("jar: shown")
	folder, err := w.scratch.make(w.jobs)
	if err != nil {
		return x, nil, err
	}
	defer func() {
		if err := w.scratch.clear(folder); err != nil {
			w.Log.Error("a scratch folder stays", "err", err)
		}
	}()
	p := w.process(c, folder)
	x, err = w.await(ctx, c, p, late)
	if err == nil && needsShell(x, c) {
		p.Attempt++
		p.Argv = append([]string{"/bin/sh"}, p.Argv...)
		x, err = w.await(ctx, c, p, late)
	}
	w.measure(x)
	return x, x.Output, err
}

// await starts a process, and waits for its end.
func (w *worker) await(ctx context.Context, c *jar.Claim, p executor.Process, late <-chan time.Time) (x executor.Exit, err error) {
	if err := w.Keeper.Start([]executor.Process{p}); err != nil {
		return x, err
	}
	done := ctx.Done()
	for {
		select {
		case <-late:
			c.Show()
		case <-done:
			w.Keeper.Stop(p.Try, false)
			done = nil
		case exits, more := <-w.Keeper.Exits():
			if !more {
				return x, errors.New("the keeper is closed")
			}
			for _, x := range exits {
				if x.Try == p.Try {
					w.Keeper.Forget([]rota.Try{x.Try})
					return x, nil
				}
			}
		}
	}
}

// measure learns from an exit whether jobs are short at the moment.
func (w *worker) measure(x executor.Exit) {
	if x.Ended.Sub(x.Started) < short {
		w.brief++
	} else {
		w.brief = 0
	}
}
