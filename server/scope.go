package server

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/rotaqueue/rota"
)

// scope keeps a filter to the queues that the principal may have to do with.
func (s *Server) scope(ctx context.Context, p rota.Principal, f *rota.Filter) error {
	if p.Queues == "" {
		return nil
	}
	if f.Queue != "" {
		return inScope(p, f.Queue, "what is selected")
	}
	if len(f.Queues) == 0 {
		all, err := s.store.Queues(ctx)
		if err != nil {
			return s.outward(err)
		}
		for _, q := range all {
			f.Queues = append(f.Queues, q.Name)
		}
	}
	f.Queues = slices.DeleteFunc(slices.Clone(f.Queues), func(q string) bool { return !rota.InQueues(p.Queues, q) })
	if len(f.Queues) == 0 {
		f.Queues = []string{""} // none: there is no queue of that name
	}
	return nil
}

// mayMove refuses to bring jobs into a queue that the principal has no part in.
func mayMove(p rota.Principal, e *rota.Edit) error {
	if e == nil {
		return nil
	}
	if e.Queue != nil {
		return inScope(p, *e.Queue, "edit")
	}
	if e.Spec != nil && e.Spec.Queue != "" {
		return inScope(p, e.Spec.Queue, "edit")
	}
	return nil
}

// said is a filter for the audit, as somebody can read it who knows the API.
func said(f *rota.Filter) string {
	text, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	return string(text[:min(len(text), 4<<10)])
}
