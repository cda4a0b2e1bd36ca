package web

import (
	"slices"

	"github.com/rotaqueue/rota"
)

// whyView says why a task waits, and when it is expected to start.
type whyView struct {
	rota.Why
	Start string
}

// Lined reports whether the task stands in a line, with others before it.
func (w *whyView) Lined() bool { return w.State == rota.Ready && w.Ahead > 0 }

// whyOf is why a task waits; nil when it does not.
func (p *Pages) whyOf(r *request, task rota.TaskID, state rota.State) (*whyView, error) {
	if state.Ended() || state == rota.Running {
		return nil, nil
	}
	why, err := p.svc.Why(r.Context(), task)
	if err != nil {
		return nil, err
	}
	return &whyView{Why: why, Start: why.Start.Text(r.Now, brief)}, nil
}

// whyOfMany is why the tasks of a job wait: told of the first that the page shows, or else of the last there is, since what ended
// before it may be many.
func (p *Pages) whyOfMany(r *request, j *rota.Job, shown []rota.Task) (*whyView, error) {
	if j.Ready+j.Scheduled+j.Held+j.Blocked == 0 {
		return nil, nil
	}
	waits := func(t rota.Task) bool { return !t.State.Ended() && t.State != rota.Running }
	i := slices.IndexFunc(shown, waits)
	if i < 0 {
		var err error
		f := rota.Filter{Tasks: []rota.Span{rota.SpanOf(j.ID)}, States: []rota.State{rota.Ready, rota.Scheduled, rota.Held, rota.Blocked}}
		shown, err = p.svc.Tasks(r.Context(), rota.TaskQuery{Filter: f, Newest: true, Max: 1})
		if err != nil || len(shown) == 0 {
			return nil, err
		}
		i = 0
	}
	return p.whyOf(r, shown[i].ID, shown[i].State)
}
