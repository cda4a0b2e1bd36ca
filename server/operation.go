package server

import (
	"context"
	"slices"

	"github.com/rotaqueue/rota"
)

// Operate does one act to all tasks that a filter selects; a submitter reaches only own jobs.
func (s *Server) Operate(ctx context.Context, op rota.Operation) (rota.Operation, error) {
	p, err := s.allow(ctx, "operate")
	if err == nil {
		err = checkOperation(&op)
	}
	if err == nil {
		err = own(p, &op.Filter)
	}
	if err != nil {
		return rota.Operation{}, err
	}
	op, err = s.store.Operate(ctx, rota.Operation{Act: op.Act, Filter: op.Filter, By: p.Name, Reason: op.Reason, DryRun: op.DryRun})
	if err != nil {
		return rota.Operation{}, s.outward(err)
	}
	if !op.DryRun {
		s.operated(&op)
	}
	return op, nil
}

// Operation is an operation, and how far it has come.
func (s *Server) Operation(ctx context.Context, id int64) (rota.Operation, error) {
	if _, err := s.allow(ctx, "operation"); err != nil {
		return rota.Operation{}, err
	}
	op, err := s.store.Operation(ctx, id)
	return op, s.outward(err)
}

func checkOperation(op *rota.Operation) error {
	if !slices.Contains(rota.Acts, op.Act) {
		return rota.Invalid("act %q: the acts are %q", op.Act, rota.Acts)
	}
	if op.Filter.Empty() {
		return rota.Invalid("%s: nothing is selected, and everything is never meant by that", op.Act).
			WithFix("name jobs, or select by state, queue, name, label, submitter or schedule")
	}
	if len(op.Reason) > rota.MaxLabel {
		return rota.Errorf(rota.ErrTooLarge, "reason: %d bytes, and %d is the limit", len(op.Reason), rota.MaxLabel)
	}
	return checkFilter(&op.Filter)
}

// operated wakes whom an operation may concern: which tasks it moved is not known here.
func (s *Server) operated(op *rota.Operation) {
	if !op.Ended {
		s.loops.operating.wake()
	}
	s.loops.promoting.wake() // what was released may wait for a time
	s.hub.endings.raise()
	s.store.Notify(rota.NoticeEnding)
	s.ready()
	s.hub.changedAny()
}
