package server

import (
	"cmp"
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
	if err == nil {
		err = s.scope(ctx, p, &op.Filter)
	}
	if err == nil {
		err = mayMove(p, op.Edit)
	}
	if err != nil {
		return rota.Operation{}, err
	}
	if !op.Edit.Empty() {
		if err := s.mayEdit(ctx, p, &op); err != nil {
			return rota.Operation{}, err
		}
	}
	if !op.DryRun {
		ctx = by(ctx, p, string(op.Act), said(&op.Filter), op.Reason)
	}
	op, err = s.store.Operate(ctx, rota.Operation{Act: op.Act, Filter: op.Filter, Edit: op.Edit, By: p.Name, Reason: op.Reason, DryRun: op.DryRun})
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
	p, err := s.allow(ctx, "operation")
	if err != nil {
		return rota.Operation{}, err
	}
	op, err := s.store.Operation(ctx, id)
	if err == nil && op.By != p.Name {
		if err := everywhere(p, "operation"); err != nil {
			return rota.Operation{}, err
		}
	}
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
	switch {
	case op.Act == rota.ActEdit && op.Edit.Empty() && !op.DryRun, op.Act != rota.ActEdit && !op.Edit.Empty():
		return rota.Invalid("%s: an edit, and nothing else, says what is to be changed", op.Act)
	case op.Edit != nil && op.Edit.Spec != nil && !single(&op.Filter):
		return rota.Invalid("edit: a whole spec is for a single job")
	case op.Edit != nil && op.Edit.Queue != nil:
		if err := rota.CheckQueueName(*op.Edit.Queue); err != nil {
			return err
		}
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

// single reports whether a filter selects a job by its number.
func single(f *rota.Filter) bool {
	return len(f.Tasks) == 1 && f.Tasks[0] == rota.SpanOf(f.Tasks[0].First.Job())
}

// mayEdit holds a whole spec to the rules of a new one. What a job runs is its submitter's to change, or an admin's: who
// changes that could read its environment, and have it run as somebody else. The rest of an edit is for operators, too.
func (s *Server) mayEdit(ctx context.Context, p rota.Principal, op *rota.Operation) error {
	if to := op.Edit.Queue; to != nil {
		if err := inScope(p, *to, "move"); err != nil {
			return err
		}
	}
	if op.Edit.Spec == nil {
		return nil
	}
	if err := inScope(p, cmp.Or(op.Edit.Spec.Queue, rota.DefaultQueue), "edit"); err != nil {
		return err
	}
	job, err := s.store.Job(ctx, op.Filter.Tasks[0].First.Job())
	if err != nil {
		return s.outward(err)
	}
	if !seesEnv(p, job.Submitter) {
		return rota.Errorf(rota.ErrDenied, "edit job %v: what it runs is for %s and admins to change", job.ID, job.Submitter).
			WithFix("rota move, relocate, rerole and priority are for operators")
	}
	if err := s.mayBring(p, "edit"); err != nil {
		return err
	}
	edit := *op.Edit
	spec := *edit.Spec
	if spec.Caller = job.Spec.Caller; p.Name == job.Submitter {
		if err := s.stamp(p, &spec); err != nil {
			return err
		}
	}
	edit.Spec, op.Edit = &spec, &edit
	return nil
}
