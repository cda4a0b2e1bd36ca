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

// fetchPiece is how much of an uploaded input, or of a blob, one call fetches.
const fetchPiece = 1 << 20

// need is what an attempt cannot start without: its job's uploaded standard input, or the blob that it runs.
type need struct {
	job  rota.JobID  // whose input; of a blob 0
	blob rota.BlobID // of an input empty
}

// material is what is needed, fetched once for all attempts here.
type material struct {
	users    int        // attempts held that need it
	of       rota.JobID // one of theirs
	fetching bool
	there    bool
	waiting  []*attempt
}

// needs are those of an attempt.
func (a *attempt) needs() (all []need) {
	if a.HasInput && a.Spec.Stdin == "" {
		all = append(all, need{job: a.Task.Job()})
	}
	if a.Spec.Blob != "" {
		all = append(all, need{blob: a.Spec.Blob})
	}
	return all
}

// begin brings an attempt on its way to the keeper, as soon as all is there that it needs.
func (r *reactor) begin(a *attempt, now rota.Elapsed) {
	for _, n := range a.needs() {
		m := r.use(n, a)
		if m.there && n.blob != "" && !r.cache.intact(n.blob) {
			m.there = false // somebody has changed the file
		}
		if m.there {
			continue
		}
		a.missing++
		m.waiting = append(m.waiting, a)
		if !m.fetching {
			m.fetching = true
			r.todo.fetch = append(r.todo.fetch, fetch{n, m.of})
		}
	}
	if a.missing == 0 {
		r.start(a, now)
	}
}

// fetch is what is to be fetched, and for which job.
type fetch struct {
	need
	of rota.JobID
}

// use counts in an attempt.
func (r *reactor) use(n need, a *attempt) *material {
	m := r.materials[n]
	if m == nil {
		m = &material{of: a.Task.Job()}
		r.materials[n] = m
	}
	m.users++
	if n.blob != "" {
		r.cache.use(n.blob)
	}
	a.uses = append(a.uses, n)
	return m
}

// releaseNeeds counts out an attempt. Without any an input goes; blobs stay in the cache.
func (r *reactor) releaseNeeds(a *attempt) {
	for _, n := range a.uses {
		m := r.materials[n]
		if n.blob != "" {
			r.cache.release(n.blob)
		}
		if m.users--; m.users > 0 {
			continue
		}
		if m.fetching {
			r.todo.unfetch = append(r.todo.unfetch, n) // fetched comes, and cleans up
			continue
		}
		r.forgo(n)
	}
	a.uses = nil
}

// forgo lets go of what nobody needs.
func (r *reactor) forgo(n need) {
	delete(r.materials, n)
	if n.blob == "" {
		r.todo.unlink = append(r.todo.unlink, n.job)
	}
}

// fetched is told that what was needed is there, or why it can never be.
func (r *reactor) fetched(n need, err error, now rota.Elapsed) {
	m := r.materials[n]
	m.fetching = false
	waiting := m.waiting
	m.waiting = nil
	switch {
	case m.users == 0:
		r.forgo(n)
		return
	case errors.Is(err, context.Canceled): // nobody needed it for a moment
		m.waiting, m.fetching = waiting, true
		r.todo.fetch = append(r.todo.fetch, fetch{n, m.of})
		return
	}
	m.there = err == nil
	for _, a := range waiting {
		switch {
		case a.stage != fetching || r.held[a.Try] != a:
		case err != nil:
			r.finish(a, &finish{Finish: rota.Finish{Try: a.Try, Outcome: rota.OutcomeRefused,
				Reason: fmt.Sprintf("%s cannot be had: %v", n, err)}, ended: now}, now)
		default:
			if a.missing--; a.missing == 0 {
				r.start(a, now)
			}
		}
	}
}

// String is the need, for a reason.
func (n need) String() string {
	if n.blob != "" {
		return "the blob that it runs"
	}
	return "its uploaded input"
}

func (r *reactor) inputPath(job rota.JobID) string {
	return filepath.Join(r.opts.Dir, "input", job.String())
}

// fetch gets what is needed beside the loop. Only the loop calls it, and stopFetching.
func (n *Node) fetch(ctx context.Context, f fetch) {
	ctx, cancel := context.WithCancel(ctx)
	n.fetches[f.need] = cancel
	n.calls.Go(func() {
		err := n.fetchUntil(ctx, f)
		cancel()
		n.post(func(r *reactor, now rota.Elapsed) {
			delete(n.fetches, f.need)
			r.fetched(f.need, err, now)
		})
	})
}

func (n *Node) stopFetching(what need) {
	if cancel := n.fetches[what]; cancel != nil {
		cancel()
	}
}

// fetchUntil tries until it is there. Only what waiting cannot mend is an error.
func (n *Node) fetchUntil(ctx context.Context, f fetch) error {
	again := afterFailure()
	for {
		err := n.fetchOnce(ctx, f)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Canceled
		case errors.Is(err, rota.ErrNotFound), errors.Is(err, rota.ErrInvalid), errors.Is(err, rota.ErrDenied), errors.Is(err, rota.ErrUnsupported):
			return err
		}
		if !again.begun() {
			n.log.Warn("not fetched; trying again", "job", f.of, "what", f.need.String(), "err", err)
		}
		if !sleep(ctx, again.more()) {
			return context.Canceled
		}
	}
}

func (n *Node) fetchOnce(ctx context.Context, f fetch) error {
	if f.blob != "" {
		return n.cache.have(ctx, f.blob, func(ctx context.Context, w io.Writer) error { return copyPieces(ctx, f.of, n.svc.Program, w) })
	}
	return n.fetchInput(ctx, f.job)
}

// fetchInput writes the input under a temporary name and renames it when it is whole.
func (n *Node) fetchInput(ctx context.Context, job rota.JobID) error {
	f, err := os.CreateTemp(n.inputDir(), "."+job.String()+".*")
	if err != nil {
		return err
	}
	err = copyPieces(ctx, job, n.svc.Input, f)
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

// copyPieces writes all of what a job has of something.
func copyPieces(ctx context.Context, job rota.JobID, piece func(context.Context, rota.JobID, int64, int) ([]byte, int64, error), w io.Writer) error {
	for offset := int64(0); ; {
		b, size, err := piece(ctx, job, offset, fetchPiece)
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
			return rota.Errorf(rota.ErrUnavailable, "what job %d needs ends at %d of %d bytes", job, offset, size)
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
	n.cache.sweep()
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
