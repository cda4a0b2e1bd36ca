package web

import (
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

type nodesPage struct{ Nodes []rota.Node }

func (p *Pages) nodes(r *request) error {
	all, err := p.svc.Nodes(r.Context())
	if err != nil {
		return err
	}
	r.Topics = []string{topicNodes, topicTasks}
	r.show("nodes", "Nodes", nodesPage{all})
	return nil
}

type nodePage struct {
	Node    rota.Node
	Lines   []servedLine
	List    string // its patterns, as somebody lists them
	Running []rota.Task
	Charts  []*chart
	Last    string
	Ranges  []pill
}

func (p *Pages) node(r *request) error {
	all, err := p.svc.Nodes(r.Context())
	if err != nil {
		return err
	}
	name := r.PathValue("node")
	i := slices.IndexFunc(all, func(n rota.Node) bool { return n.Name == name })
	if i < 0 {
		return rota.Errorf(rota.ErrNotFound, "node %q: there is none", name)
	}
	d := nodePage{Node: all[i]}
	d.Lines, d.List = servedLines(&all[i]), strings.Join(listed(&all[i]), ",")
	last := time.Duration(0)
	last, d.Ranges = r.chartsOf()
	samples, err := p.svc.NodeSamples(r.Context(), name, r.Now.Add(-last))
	if err != nil {
		return err
	}
	d.Charts = nodeCharts(thinned(samples, 240))
	if d.Node.Running > 0 {
		if d.Running, err = p.running(r, name, pageRows); err != nil {
			return err
		}
	}
	r.Topics = []string{topicNodes, topicTasks}
	r.show("node", "Node "+name, d)
	return nil
}

// running are some of the tasks that run, or that run on a node, the newest first.
func (p *Pages) running(r *request, node string, most int) ([]rota.Task, error) {
	f := rota.Filter{States: []rota.State{rota.Running}, Node: node}
	return p.svc.Tasks(r.Context(), rota.TaskQuery{Filter: f, Newest: true, Max: most})
}

// thinned are samples in so many at most: each the busiest of those that it stands for.
func thinned(all []rota.NodeSample, most int) []rota.NodeSample {
	if len(all) <= most {
		return all
	}
	out := make([]rota.NodeSample, most)
	for i := range out {
		part := all[i*len(all)/most : (i+1)*len(all)/most]
		out[i] = slices.MaxFunc(part, func(a, b rota.NodeSample) int {
			switch {
			case a.Load1 < b.Load1:
				return -1
			case a.Load1 > b.Load1:
				return 1
			}
			return 0
		})
	}
	return out
}

// actNode pauses, resumes, drains or removes a node, or changes the queues that it serves.
func (p *Pages) actNode(r *request) (err error) {
	name, ctx := r.PathValue("node"), r.Context()
	to, said := "nodes/"+name, ""
	switch act := r.PostFormValue("act"); act {
	case "pause":
		err, said = p.svc.PauseNode(ctx, name, true), "asked to pause"
	case "resume":
		err, said = p.svc.PauseNode(ctx, name, false), "asked to go on"
	case "drain":
		err, said = p.svc.DrainNode(ctx, name), "asked to drain and end"
	case "attach", "detach", "serve":
		said = "another list of queues"
		err = p.serve(r, name, act)
	case "remove", "lost":
		err, said, to = p.svc.RemoveNode(ctx, name, act == "lost"), "removed", "nodes"
	default:
		err = rota.Invalid("act %q: there is none", act)
	}
	if err == nil {
		r.done(to, "node %s: %s", name, said)
	}
	return err
}

// Down reports whether a node does not run.
func (r *request) Down(n rota.Node) bool { return n.State == rota.NodeDown || n.State == rota.NodeLost }

// Skew says how a node's clock differs, if that is worth saying.
func (r *request) Skew(n rota.Node) string {
	d := time.Duration(n.Skew) * time.Microsecond
	switch {
	case d.Abs() < rota.SkewShown:
		return ""
	case d < 0:
		return brief(-d) + " behind the store's"
	}
	return brief(d) + " ahead of the store's"
}
