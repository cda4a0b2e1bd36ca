package server

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// A live file is looked at again after pollFirst, and ever less often up to pollLast: only while somebody waits.
const (
	pollFirst = 50 * time.Millisecond
	pollLast  = 200 * time.Millisecond
)

// Output is a piece of a task's output: from where it is written while the attempt runs on this node, from its node
// while it runs on another, else from the store. It waits until there is something at the offset, the attempt has ended, or the wait is over. A task that
// was never tried has nothing yet.
func (s *Server) Output(ctx context.Context, q rota.OutputQuery, wait time.Duration) (rota.Output, error) {
	p, err := s.allow(ctx, "output")
	if err == nil {
		err = checkOutput(&q)
	}
	if err != nil {
		return rota.Output{}, err
	}
	changes, leave := s.hub.watch(q.Task.Job())
	defer leave()
	job, err := s.readable(ctx, p, q.Task.Job())
	if err != nil {
		return rota.Output{}, err
	}
	over := time.NewTimer(min(wait, rota.MaxWait))
	if wait <= 0 { // but for what another node is asked
		over.Reset(lookPatience)
	}
	defer over.Stop()
	poll, looks := pollFirst, s.newLooks(ctx)
	var far elsewhere
	for {
		_, changed := changes.now()
		out, err := s.piece(ctx, &job.Spec, q, &far)
		if err != nil || len(out.Data) > 0 || out.Ended || out.File != "" || wait <= 0 && !far.waits() {
			return out, s.outward(err)
		}
		pause := looks.next()
		if (s.opts.Live != nil || far.first != 0) && out.Attempt > 0 { // it runs, perhaps here
			pause, poll = poll, min(poll*5/4, pollLast)
		}
		look := time.NewTimer(pause)
		select {
		case <-changed:
		case <-look.C:
		case <-over.C:
			look.Stop()
			return out, nil
		case <-ctx.Done():
			look.Stop()
			return rota.Output{}, ctx.Err()
		}
		look.Stop()
	}
}

func checkOutput(q *rota.OutputQuery) error {
	switch {
	case q.Stream != rota.Stdout && q.Stream != rota.Stderr:
		return rota.Invalid("stream %q: write stdout or stderr", q.Stream)
	case q.Attempt < 0:
		return rota.Invalid("attempt %d: attempts are numbered from 1", q.Attempt)
	case q.Max < 0:
		return rota.Invalid("at most %d: not a number of bytes", q.Max)
	}
	q.Max = min(cmp.Or(q.Max, rota.MaxPartBytes), rota.MaxPartBytes)
	return nil
}

// piece is what there is now. Whether the attempt has ended is read before its output, so that "ended" is never said
// ahead of the last of the text.
func (s *Server) piece(ctx context.Context, spec *rota.Spec, q rota.OutputQuery, far *elsewhere) (rota.Output, error) {
	attempt, ended, node, err := s.standing(ctx, q)
	if err != nil || attempt == 0 {
		return rota.Output{Ended: ended}, err
	}
	q.Attempt = attempt
	if file := ownFile(spec, q); file != "" {
		return rota.Output{Attempt: attempt, File: file, Ended: ended}, nil
	}
	var out rota.Output
	live := false
	if s.opts.Live != nil {
		out, live, err = s.opts.Live.Output(ctx, q)
	}
	switch {
	case live || err != nil:
	case !ended && node != s.opts.Node:
		out, err = s.look(ctx, far, q)
	default:
		out, err = s.store.Output(ctx, q)
		if errors.Is(err, rota.ErrNotFound) {
			out, err = rota.Output{Offset: max(q.Offset, 0)}, nil
		}
	}
	out.Attempt, out.Ended = attempt, ended
	return out, err
}

// standing is the number of the attempt asked for, 0 when the task was never tried, whether it has ended, and the node of
// the task's latest.
func (s *Server) standing(ctx context.Context, q rota.OutputQuery) (attempt int, ended bool, node string, err error) {
	task, _, err := s.store.Task(ctx, q.Task)
	if err != nil {
		return 0, false, "", err
	}
	latest := task.Attempt.Number
	if q.Attempt > latest {
		return 0, false, "", rota.Errorf(rota.ErrNotFound, "task %v: has no attempt %d, its latest is %d", q.Task, q.Attempt, latest)
	}
	attempt = cmp.Or(q.Attempt, latest)
	if attempt == 0 {
		return 0, task.State.Ended(), "", nil
	}
	return attempt, attempt < latest || task.State != rota.Running, task.Node, nil
}

// ownFile is the job's own file that the stream goes to, if it does not go to Rota: %j is the job, %a the index and
// %n the attempt.
func ownFile(spec *rota.Spec, q rota.OutputQuery) string {
	name := spec.Out
	if q.Stream == rota.Stderr {
		name = spec.Err
	}
	return strings.NewReplacer("%%", "%", "%j", q.Task.Job().String(), "%a", strconv.Itoa(q.Task.Index()),
		"%n", strconv.Itoa(q.Attempt)).Replace(name)
}
