package web

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/discipline"
)

// share is how much of what runs of a queue is one flow's.
type share struct {
	Name    string
	Running int
	Part    int    // in hundredths
	Weight  string // empty: the queue does not share
	Due     int    // in hundredths: what its weight among those that run comes to
}

// shares are those of a queue, the largest first.
type shares struct {
	By   string // what flows are of
	Rows []share
	Of   int // tasks that were looked at: the newest that run
}

const sharesMost = 500 // tasks that are looked at

// sharesOf looks whose the tasks are that run of a queue.
func (p *Pages) sharesOf(r *request, q *rota.Queue) (*shares, error) {
	if q.Counts[rota.Running] == 0 {
		return nil, nil
	}
	tasks, err := p.svc.Tasks(r.Context(), rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Running}, Queue: q.Name}, Newest: true, Max: sharesMost})
	if err != nil || len(tasks) == 0 {
		return nil, err
	}
	running := map[rota.JobID]int{}
	for i := range tasks {
		running[tasks[i].ID.Job()]++
	}
	flows := map[string]int{}
	jobs, err := p.jobsOf(r, slices.Sorted(maps.Keys(running)))
	for i := range jobs {
		flows[q.Flow.NameOf(jobs[i].Submitter, &jobs[i].Spec)] += running[jobs[i].ID]
	}
	return sharesAmong(q, flows), err
}

// sharesAmong are the shares of flows with so many tasks that run.
func sharesAmong(q *rota.Queue, running map[string]int) *shares {
	s := &shares{By: strings.TrimPrefix(cmp.Or(string(q.Flow), string(rota.FlowUser)), rota.FlowOfLabel)}
	order, err := discipline.Of(q.Discipline)
	fair := err == nil && order.Flows
	weights := 0.0
	weight := func(name string) float64 { return cmp.Or(q.Weights[name], 1) }
	for name, n := range running {
		s.Of += n
		weights += weight(name)
	}
	for name, n := range running {
		x := share{Name: name, Running: n, Part: hundredths(float64(n), float64(s.Of))}
		if fair {
			x.Weight, x.Due = floatText(weight(name)), hundredths(weight(name), weights)
		}
		s.Rows = append(s.Rows, x)
	}
	slices.SortFunc(s.Rows, func(a, b share) int { return cmp.Or(b.Running-a.Running, strings.Compare(a.Name, b.Name)) })
	return s
}

func hundredths(n, of float64) int {
	if of == 0 {
		return 0
	}
	return int(100*n/of + 0.5)
}
