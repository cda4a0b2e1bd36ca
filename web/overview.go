package web

import (
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// overviewPage is what there is to see at a glance.
type overviewPage struct {
	Status    rota.Status
	Counts    map[rota.State]int
	Waiting   int
	Oldest    *rota.Oldest // nil: nothing could start
	Slots     int
	Up        int
	Nodes     []rota.Node
	Queues    []queueRow
	Failures  []rota.FailureGroup
	Running   []rota.Task
	Schedules []rota.Schedule // the next to fire
	Charts    []*chart
	Attention []attention
}

// attention is something that somebody should look at.
type attention struct{ Kind, Text, Link string }

func (p *Pages) overview(r *request) (err error) {
	r.Topics = topics
	d := &overviewPage{}
	ctx := r.Context()
	if d.Status, err = p.svc.Status(ctx); err != nil {
		return err
	}
	queues, err := p.svc.Queues(ctx)
	if err != nil {
		return err
	}
	d.Counts, d.Queues = countsOf(queues), queueRows(queues)
	d.Waiting = d.Counts[rota.Ready] + d.Counts[rota.Scheduled] + d.Counts[rota.Held] + d.Counts[rota.Blocked]
	if d.Nodes, err = p.svc.Nodes(ctx); err != nil {
		return err
	}
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.State == rota.NodeUp || n.State == rota.NodePaused || n.State == rota.NodeUnable || n.State == rota.NodeDraining {
			d.Up++
			d.Slots += n.Slots
		}
	}
	if d.Counts[rota.Failed] > 0 {
		if d.Failures, err = p.svc.Failures(ctx, rota.FailureQuery{By: rota.ByError}); err != nil {
			return err
		}
		d.Failures = d.Failures[:min(5, len(d.Failures))]
	}
	d.Oldest = rota.OldestOf(queues)
	if d.Counts[rota.Running] > 0 {
		if d.Running, err = p.running(r, "", 8); err != nil {
			return err
		}
	}
	schedules, err := p.svc.Schedules(ctx)
	if err != nil {
		return err
	}
	d.Schedules = nextFires(schedules, 6)
	d.Charts = p.storeCharts(r, time.Hour)
	d.look(r, queues)
	for i := range schedules {
		for _, a := range schedules[i].Alarms {
			d.Attention = append(d.Attention, attention{"bad", "Schedule " + schedules[i].Name + ": " + a.Text, "cron/" + schedules[i].Name})
		}
	}
	r.show("overview", "Overview", d)
	return nil
}

// nextFires are the schedules that fire next.
func nextFires(all []rota.Schedule, most int) []rota.Schedule {
	all = slices.DeleteFunc(slices.Clone(all), func(s rota.Schedule) bool { return s.Rests() || s.Next.IsZero() })
	slices.SortFunc(all, func(a, b rota.Schedule) int { return a.Next.Compare(b.Next) })
	return all[:min(most, len(all))]
}

// look finds what needs somebody.
func (d *overviewPage) look(r *request, queues []rota.Queue) {
	add := func(kind, text, link string) { d.Attention = append(d.Attention, attention{kind, text, link}) }
	if d.Up == 0 {
		add("bad", "No node is up: nothing is started", "nodes")
	}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		switch {
		case n.State == rota.NodeLost:
			add("bad", "Node "+n.Name+" is lost since "+brief(r.Since(n.Lost)), "nodes/"+n.Name)
		case n.State == rota.NodeUnable:
			add("bad", "Node "+n.Name+" can start nothing: its log says why", "nodes/"+n.Name)
		case n.Paused:
			add("warn", "Node "+n.Name+" is paused", "nodes/"+n.Name)
		}
		if s := time.Duration(n.Skew) * time.Microsecond; s.Abs() >= rota.SkewShown {
			add("warn", "Node "+n.Name+": its clock differs by "+brief(s.Abs()), "nodes/"+n.Name)
		}
		if s := n.Sample; s != nil && s.DiskTotal > 0 && s.DiskFree*20 < s.DiskTotal {
			add("bad", "Node "+n.Name+" has "+bytesText(s.DiskFree)+" of its disk left", "nodes/"+n.Name)
		}
	}
	for i := range queues {
		q := &queues[i]
		waiting := q.Counts[rota.Ready]
		switch {
		case q.Paused && waiting > 0:
			add("warn", "Queue "+q.Name+" is paused, and "+plural(waiting, "task")+" in it could start", "queues/"+q.Name)
		case waiting > 0 && d.Up > 0 && !served(q.Name, d.Nodes):
			add("bad", "No node that is up serves the queue "+q.Name+", where "+plural(waiting, "task")+" could start", "queues/"+q.Name)
		}
	}
	if n := d.Counts[rota.Held]; n > 0 {
		add("warn", plural(n, "task")+" held until somebody releases them", "jobs?q=state%3Aheld")
	}
	if n := d.Counts[rota.Failed]; n > 0 {
		add("bad", plural(n, "task")+" failed", "failed")
	}
}

// served reports whether a node that is up serves a queue.
func served(queue string, nodes []rota.Node) bool {
	return slices.ContainsFunc(nodes, func(n rota.Node) bool {
		if n.State == rota.NodeDown || n.State == rota.NodeLost {
			return false
		}
		return rota.PlaceOf(queue, rota.ServedQueues(n.Name, n.Queues)) >= 0
	})
}
