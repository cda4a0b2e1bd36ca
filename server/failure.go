package server

import (
	"context"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// Failures are failed tasks in groups.
func (s *Server) Failures(ctx context.Context, q rota.FailureQuery) ([]rota.FailureGroup, error) {
	p, err := s.allow(ctx, "failures")
	if err == nil {
		err = checkFilter(&q.Filter)
	}
	if err == nil {
		err = s.scope(ctx, p, &q.Filter)
	}
	if q.By == "" {
		q.By = rota.ByError
	}
	if err == nil && !slices.Contains(rota.FailureBys, q.By) {
		err = rota.Invalid("failures by %q: the groups are by %q", q.By, rota.FailureBys)
	}
	if err != nil {
		return nil, err
	}
	all, err := s.store.Failures(ctx, q)
	return all, s.outward(err)
}

// reportSpan is how far back a report reaches when nobody says otherwise.
const reportSpan = 7 * 24 * time.Hour

// Usage is what attempts took, and how long they waited.
func (s *Server) Usage(ctx context.Context, q rota.UsageQuery) ([]rota.UsageRow, error) {
	p, err := s.allow(ctx, "usage")
	if err == nil {
		err = everywhere(p, "usage")
	}
	if err != nil {
		return nil, err
	}
	if len(q.By) == 0 {
		q.By = []rota.By{rota.ByUser}
	}
	for i, by := range q.By {
		if !slices.Contains(rota.UsageBys, by) || slices.Contains(q.By[:i], by) {
			return nil, rota.Invalid("report by %q: it can be by %q, each once", q.By, rota.UsageBys)
		}
	}
	if q.Since.IsZero() {
		now, err := s.now(ctx)
		if err != nil {
			return nil, s.outward(err)
		}
		q.Since = now.Add(-reportSpan)
	}
	rows, err := s.store.Usage(ctx, q)
	return rows, s.outward(err)
}
