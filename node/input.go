package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// inputPiece is how much of an uploaded input one call fetches.
const inputPiece = 1 << 20

// input is a job's uploaded standard input, fetched once for all its attempts here.
type input struct {
	users    int // attempts held that need it
	fetching bool
	there    bool
	waiting  []*attempt
}

// needInput starts an attempt when its job's input is there.
func (r *reactor) needInput(a *attempt, now rota.Elapsed) {
	job := a.Task.Job()
	in := r.useInput(job)
	if in.there {
		r.start(a, r.inputPath(job), now)
		return
	}
	in.waiting = append(in.waiting, a)
	if !in.fetching {
		in.fetching = true
		r.todo.fetch = append(r.todo.fetch, job)
	}
}

// useInput counts in an attempt.
func (r *reactor) useInput(job rota.JobID) *input {
	in := r.inputs[job]
	if in == nil {
		in = &input{}
		r.inputs[job] = in
	}
	in.users++
	return in
}

// releaseInput counts out an attempt. Without any the file goes.
func (r *reactor) releaseInput(a *attempt) {
	job := a.Task.Job()
	in := r.inputs[job]
	if in == nil || !a.HasInput || a.Spec.Stdin != "" {
		return
	}
	if in.users--; in.users > 0 {
		return
	}
	if in.fetching {
		r.todo.unfetch = append(r.todo.unfetch, job) // fetched comes, and cleans up
		return
	}
	delete(r.inputs, job)
	r.todo.unlink = append(r.todo.unlink, job)
}

// fetched is told that a job's input is there, or why it can never be.
func (r *reactor) fetched(job rota.JobID, err error, now rota.Elapsed) {
	in := r.inputs[job]
	in.fetching = false
	waiting := in.waiting
	in.waiting = nil
	switch {
	case in.users == 0:
		delete(r.inputs, job)
		r.todo.unlink = append(r.todo.unlink, job)
		return
	case errors.Is(err, context.Canceled): // nobody needed it for a moment
		in.waiting, in.fetching = waiting, true
		r.todo.fetch = append(r.todo.fetch, job)
		return
	}
	in.there = err == nil
	for _, a := range waiting {
		switch {
		case a.stage != fetching || r.held[a.Try] != a:
		case err != nil:
			r.finish(a, &finish{Finish: rota.Finish{Try: a.Try, Outcome: rota.OutcomeRefused,
				Reason: fmt.Sprintf("its uploaded input cannot be had: %v", err)}, ended: now}, now)
		default:
			r.start(a, r.inputPath(job), now)
		}
	}
}

func (r *reactor) inputPath(job rota.JobID) string {
	return filepath.Join(r.opts.Dir, "input", job.String())
}

// fetch gets a job's input beside the loop. Only the loop calls it, and stopFetching.
func (n *Node) fetch(ctx context.Context, job rota.JobID) {
	ctx, cancel := context.WithCancel(ctx)
	n.fetches[job] = cancel
	n.calls.Go(func() {
		err := n.fetchUntil(ctx, job)
		cancel()
		n.post(func(r *reactor, now rota.Elapsed) {
			delete(n.fetches, job)
			r.fetched(job, err, now)
		})
	})
}

func (n *Node) stopFetching(job rota.JobID) {
	if cancel := n.fetches[job]; cancel != nil {
		cancel()
	}
}

// fetchUntil tries until the input is there. Only what waiting cannot mend is an error.
func (n *Node) fetchUntil(ctx context.Context, job rota.JobID) error {
	again := afterFailure()
	for {
		err := n.fetchOnce(ctx, job)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Canceled
		case errors.Is(err, rota.ErrNotFound), errors.Is(err, rota.ErrInvalid), errors.Is(err, rota.ErrDenied):
			return err
		}
		if !again.begun() {
			n.log.Warn("input not fetched; trying again", "job", job, "err", err)
		}
		if !sleep(ctx, again.more()) {
			return context.Canceled
		}
	}
}

// fetchOnce writes the input under a temporary name and renames it when it is whole.
func (n *Node) fetchOnce(ctx context.Context, job rota.JobID) error {
	f, err := os.CreateTemp(n.inputDir(), "."+job.String()+".*")
	if err != nil {
		return err
	}
	err = n.copyInput(ctx, job, f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(n.inputDir(), job.String()))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (n *Node) copyInput(ctx context.Context, job rota.JobID, w io.Writer) error {
	for offset := int64(0); ; {
		b, size, err := n.svc.Input(ctx, job, offset, inputPiece)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if offset += int64(len(b)); offset >= size {
			return nil
		}
		if len(b) == 0 {
			return rota.Errorf(rota.ErrUnavailable, "input of job %d ends at %d of %d bytes", job, offset, size)
		}
	}
}

// dropInput removes a job's input; one that is not there is fine.
func (n *Node) dropInput(job rota.JobID) {
	err := os.Remove(filepath.Join(n.inputDir(), job.String()))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.log.Warn("input not removed", "job", job, "err", err)
	}
}

// sweepInput removes what an earlier life left, but for what is still to be read.
func (n *Node) sweepInput() {
	needed := map[string]bool{}
	for _, e := range n.opts.Resumed {
		needed[e.Task.Job().String()] = true
	}
	entries, _ := os.ReadDir(n.inputDir())
	var paths []string
	for _, e := range entries {
		if needed[e.Name()] {
			continue
		}
		paths = append(paths, filepath.Join(n.inputDir(), e.Name()))
	}
	n.remove(paths)
}
