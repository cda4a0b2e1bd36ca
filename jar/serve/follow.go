package serve

import (
	"context"
	"errors"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
)

// follow submits a job, waits for its end, and moves it. When ctx ends before, it leaves it as it runs, or gives it back.
func (h *hold) follow(ctx context.Context) {
	if h.claim.HasEnded() { // an earlier life of the node was about to move it
		h.move(ctx, func() error { return h.claim.Finish() })
		return
	}
	if !h.again(ctx, "a job of the jar is not submitted yet", func() error { return h.submit(ctx) }) {
		h.leave(ctx)
		return
	}
	h.Slots.named(h)
	seen := rota.Progress{}
	for !seen.Ended() {
		p, err := h.Service.Watch(ctx, h.job, seen, rota.MaxWait)
		switch {
		case ctx.Err() != nil:
			h.leave(ctx)
			return
		case errors.Is(err, rota.ErrNotFound):
			h.complete(ctx, jar.End{Code: unknown, Note: "its record was removed before it was known how it ended"})
			return
		case err != nil:
			if !h.again(ctx, "it is not known how a job of the jar is doing", func() error { return h.look(ctx) }) {
				h.leave(ctx)
				return
			}
		default:
			seen = p
		}
	}
	h.end(ctx)
}

func (h *hold) look(ctx context.Context) error {
	_, err := h.Service.Job(ctx, h.job)
	if errors.Is(err, rota.ErrNotFound) {
		return nil // the next watch meets it
	}
	return err
}

// end moves a job that has ended in the store.
func (h *hold) end(ctx context.Context) {
	var t rota.Task
	var e jar.End
	ok := h.again(ctx, "how a job of the jar ended is not known yet", func() (err error) {
		if t, _, err = h.Service.Task(ctx, rota.PlainTask(h.job)); err != nil {
			return err
		}
		e = endOf(&t)
		e.Out, e.Err, err = h.collect(ctx, &t)
		return err
	})
	if ok {
		h.complete(ctx, e)
	}
}

func (h *hold) complete(ctx context.Context, e jar.End) {
	h.move(ctx, func() error {
		name, err := h.claim.Complete(e)
		if err == nil {
			h.log.Info("a job of the jar has ended", "job", h.job, "code", e.Code, "completed", name)
		}
		return err
	})
}

func (h *hold) move(ctx context.Context, do func() error) {
	h.again(ctx, "a job of the jar stays in the worker's directory", func() error {
		h.moving.Lock()
		defer h.moving.Unlock()
		return do()
	})
}

// Exit codes as shells have them, where the job itself had none.
const (
	unknown   = 125
	signalled = 128
)

func endOf(t *rota.Task) jar.End {
	e := jar.End{Code: unknown}
	switch {
	case t.Exit != nil:
		e.Code = *t.Exit
	case t.Signal != 0:
		e.Code = signalled + t.Signal
	}
	if plain := t.Exit != nil && (t.Outcome == rota.OutcomeSucceeded || t.Outcome == rota.OutcomeFailed); !plain {
		if e.Note = t.Reason; e.Note == "" {
			e.Note = "it ended as " + t.State.String()
		}
	}
	return e
}

// leaving is how long it may take to give back what has not started.
const leaving = 3 * time.Second

// leave gives back a job that has not started. It is held first, which does not touch one that runs: that goes on, and
// whoever serves the jar next follows it.
func (h *hold) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer cancel()
	if h.job != 0 {
		only := rota.Filter{Tasks: []rota.Span{rota.SpanOf(h.job)}, States: []rota.State{rota.Ready}}
		op, err := h.Service.Operate(ctx, rota.Operation{Act: rota.ActHold, Filter: only, Reason: "the node leaves the jar"})
		if err != nil || op.Done != 1 {
			return // it runs, or somebody holds it
		}
		only.States = []rota.State{rota.Held}
		if h.wasTried(ctx) {
			_, _ = h.Service.Operate(ctx, rota.Operation{Act: rota.ActRelease, Filter: only})
			return
		}
		op, err = h.Service.Operate(ctx, rota.Operation{Act: rota.ActCancel, Filter: only, Reason: "given back to the jar"})
		if err != nil || op.Done != 1 {
			return
		}
	}
	if err := h.claim.GiveBack(); err != nil {
		h.log.Error("a job that has not started stays in the worker's directory", "err", err)
	}
}

// wasTried reports whether the job ever ran, or may have: that is to be gone on with here.
func (h *hold) wasTried(ctx context.Context) bool {
	t, _, err := h.Service.Task(ctx, rota.PlainTask(h.job))
	return err != nil || t.Lost > 0 || !t.Started.IsZero()
}
