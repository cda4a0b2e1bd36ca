package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

const (
	keepPiece   = 1 << 20 // bytes of one KeepOutput
	keepsAtOnce = 4       // large outputs that are being kept
	maxKeeping  = 64      // attempts with such, beyond the slots, before the node claims no more
)

// collected is what became of an ended attempt's output.
type collected struct {
	try        rota.Try
	chunks     []rota.Chunk // to go with the finish
	spent      []string     // files of which the store then has everything
	kept, left int64        // bytes of those, and of files that stay
	problem    string       // why not everything was kept that should have been
	said       string       // the last line of one that failed
	missed     string       // why not all artifacts were kept
}

// plan is which pieces of an attempt's output are to be kept, and which files that it left.
type plan struct {
	collected
	pieces    []piece
	artifacts []executor.Artifact
}

// piece is a part of one stream that is kept.
type piece struct {
	stream         rota.Stream
	path           string
	offset, length int64
	total          int64
}

// collect reads the output of ended attempts (P14). What is small goes with the finish; the rest, and artifacts, are kept
// before it, each attempt's on its own.
func (n *Node) collect(ctx context.Context, exits []executor.Exit) {
	var small []collected
	var large []plan
	var tries []rota.Try
	for _, x := range exits {
		p := planOutput(x, n.opts.OutputCap)
		p.said = lastLine(x)
		if sum(p.pieces) > rota.InlineOutput || len(p.artifacts) > 0 {
			large, tries = append(large, p), append(tries, x.Try)
			continue
		}
		var err error
		if p.chunks, err = read(p.pieces); err != nil {
			p.fail(err)
		}
		small = append(small, p.collected)
	}
	n.post(func(r *reactor, now rota.Elapsed) {
		r.large(tries)
		r.collected(small, now)
	})
	for _, p := range large {
		n.calls.Go(func() { n.keep(ctx, p) })
	}
}

// planOutput looks at the files of an attempt's output.
func planOutput(x executor.Exit, limit int64) plan {
	p := plan{collected: collected{try: x.Try, missed: x.Missed}, artifacts: x.Artifacts}
	for _, s := range []rota.Stream{rota.Stdout, rota.Stderr} {
		path := x.Output[s]
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			p.fail(err)
		case info.Size() > limit:
			p.left += info.Size()
			p.pieces = append(p.pieces, cut(s, path, info.Size(), limit)...)
		default:
			p.kept += info.Size()
			p.spent = append(p.spent, path)
			p.pieces = append(p.pieces, cut(s, path, info.Size(), limit)...)
		}
	}
	return p
}

// cut is what is kept of a stream: all of it, or the first and the last half of the limit.
func cut(s rota.Stream, path string, size, limit int64) []piece {
	switch {
	case size == 0:
		return nil
	case size <= limit:
		return []piece{{s, path, 0, size, size}}
	}
	head := limit / 2
	tail := limit - head
	var ps []piece
	if head > 0 {
		ps = append(ps, piece{s, path, 0, head, size})
	}
	if tail > 0 {
		ps = append(ps, piece{s, path, size - tail, tail, size})
	}
	return ps
}

// portions splits pieces into groups of at most so many bytes, one for each call.
func portions(ps []piece, limit int64) [][]piece {
	var groups [][]piece
	free := int64(0)
	for _, p := range ps {
		for p.length > 0 {
			if free == 0 {
				groups = append(groups, nil)
				free = limit
			}
			part := p
			part.length = min(p.length, free)
			last := len(groups) - 1
			groups[last] = append(groups[last], part)
			p.offset += part.length
			p.length -= part.length
			free -= part.length
		}
	}
	return groups
}

func sum(ps []piece) int64 {
	n := int64(0)
	for _, p := range ps {
		n += p.length
	}
	return n
}

// read makes chunks of pieces. With an error it returns those that could be read.
func read(ps []piece) ([]rota.Chunk, error) {
	var cs []rota.Chunk
	var failed error
	for _, p := range ps {
		b, err := readPiece(p)
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		cs = append(cs, rota.Chunk{Stream: p.stream, Offset: p.offset, Total: p.total, Data: b})
	}
	return cs, failed
}

func readPiece(p piece) ([]byte, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, p.length)
	if n, err := f.ReadAt(b, p.offset); int64(n) < p.length {
		return nil, fmt.Errorf("read %s at %d: %w", p.path, p.offset, err)
	}
	return b, nil
}

// keep keeps a large output, and artifacts. A failure repeats the keeping for as long as it may still work.
func (n *Node) keep(ctx context.Context, p plan) {
	select {
	case n.keeping <- struct{}{}:
		defer func() { <-n.keeping }()
	case <-ctx.Done():
		return
	}
	for _, group := range portions(p.pieces, keepPiece) {
		chunks, err := read(group)
		if err == nil {
			err = n.keepUntil(ctx, p.try, chunks)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.fail(err)
			break
		}
	}
	at.Point("daemon: output kept")
	if !n.keepArtifacts(ctx, &p) {
		return
	}
	n.post(func(r *reactor, now rota.Elapsed) { r.collected([]collected{p.collected}, now) })
}

func (n *Node) keepUntil(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	return n.until(ctx, "output", try, n.opts.TTL, func(ctx context.Context) error { return n.svc.KeepOutput(ctx, try, chunks) })
}

// until repeats a call that keeps something, each time for so long at most, for as long as it may still work.
func (n *Node) until(ctx context.Context, what string, try rota.Try, patience time.Duration, call func(context.Context) error) error {
	again := afterFailure()
	for {
		once, cancel := context.WithTimeout(ctx, patience)
		err := call(once)
		cancel()
		if err == nil || hopeless(err) {
			return err
		}
		if !again.begun() {
			n.log.Warn(what+" not kept; trying again", "task", try.Task, "attempt", try.Attempt, "err", err)
		}
		if !sleep(ctx, again.more()) {
			return ctx.Err()
		}
	}
}

// hopeless reports whether keeping the same output again would fail again. A full disk is among it: the finish
// must not wait for somebody to make room.
func hopeless(err error) bool {
	for _, kind := range []error{rota.ErrFull, rota.ErrLeaseLost, rota.ErrInvalid, rota.ErrTooLarge, rota.ErrNotFound, rota.ErrDenied, rota.ErrUnsupported} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// fail says that something was not kept. The files stay, then.
func (c *collected) fail(err error) {
	c.problem = join(c.problem, err.Error())
	c.spent = nil
	c.left, c.kept = c.left+c.kept, 0
}

// letGo removes what is left of attempts whose ends are recorded, and has the keeper forget them after that: it remembers
// the files for whoever comes next, should this node die between the two.
func (n *Node) letGo(spent []string, ended []rota.Try) {
	if len(spent) > 0 {
		at.Point("daemon: end recorded")
	}
	n.remove(spent)
	if len(ended) > 0 {
		at.Point("daemon: before forgetting")
		n.keeper.Forget(ended)
	}
}

// remove removes files of which the store has everything.
func (n *Node) remove(paths []string) {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			n.log.Warn("file not removed", "file", path, "err", err)
		}
	}
}
