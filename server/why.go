package server

import (
	"context"
	"fmt"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/eligible"
	"github.com/rotaqueue/rota/eta"
)

// Why says what keeps a task waiting: what its state says, and of each node which of the claim's rules say no.
func (s *Server) Why(ctx context.Context, id rota.TaskID) (rota.Why, error) {
	p, err := s.allow(ctx, "why")
	if err == nil {
		_, err = s.readable(ctx, p, id.Job())
	}
	if err != nil {
		return rota.Why{}, err
	}
	at, err := s.store.Standing(ctx, id)
	if err != nil {
		return rota.Why{}, s.outward(err)
	}
	why := rota.Why{Task: id, State: at.State, Queue: at.Queue, Ahead: at.Ahead, Reasons: aside(&at)}
	if at.State != rota.Ready || at.Gate != nil {
		return why, nil
	}
	nodes, err := s.store.Nodes(ctx)
	if err != nil {
		return rota.Why{}, s.outward(err)
	}
	slots := 0
	for i := range nodes {
		n := &nodes[i]
		noes, open := ask(&at, n)
		for _, no := range noes {
			why.Reasons = addReason(why.Reasons, no)
		}
		if open {
			slots += slotsFor(&at, n)
		}
	}
	if len(nodes) == 0 || len(why.Reasons) == 0 && slots == 0 {
		why.Reasons = addReason(why.Reasons, rota.Reason{Text: "no node is up", Fix: "rota up"})
	}
	why.Start = expect(&at, slots)
	return why, nil
}

// aside is what a task's state alone says.
func aside(at *rota.Standing) []rota.Reason {
	switch {
	case at.State == rota.Held && at.Reason != "":
		return []rota.Reason{{Text: "it is held: " + at.Reason, Fix: fmt.Sprintf("rota release %v", at.ID)}}
	case at.State == rota.Held:
		return []rota.Reason{{Text: "it is held", Fix: fmt.Sprintf("rota release %v", at.ID)}}
	case at.State == rota.Scheduled && at.Number > 0:
		return []rota.Reason{{Text: fmt.Sprintf("attempt %d has failed, and the next comes at its time", rota.Nth(at.Number)),
			Fix: fmt.Sprintf("rota retry %v", at.ID), For: rota.Duration(at.RunAt.Sub(at.Now))}}
	case at.State == rota.Scheduled:
		return []rota.Reason{{Text: "its time has not come", For: rota.Duration(at.RunAt.Sub(at.Now))}}
	case at.State == rota.Blocked && !at.Job.Sealed:
		return []rota.Reason{{Text: "it is still being uploaded"}}
	case at.State == rota.Blocked:
		var out []rota.Reason
		for _, d := range at.Waits {
			out = append(out, awaits(at.ID, d))
		}
		return out
	case at.State == rota.Ready && at.Gate != nil:
		return []rota.Reason{behind(at)}
	}
	return []rota.Reason{}
}

func awaits(id rota.TaskID, d rota.Dependency) rota.Reason {
	if d.When == rota.AfterEach {
		on := rota.Element(d.Job, id.Index())
		return rota.Reason{Text: fmt.Sprintf("it waits for the success of task %v", on), Fix: fmt.Sprintf("rota why %v", on)}
	}
	words := map[rota.When]string{rota.AfterOK: "success", rota.AfterAny: "end", rota.AfterFail: "failure"}
	return rota.Reason{Text: fmt.Sprintf("it waits for the %s of job %v", words[d.When], d.Job), Fix: fmt.Sprintf("rota why %v", d.Job)}
}

func behind(at *rota.Standing) rota.Reason {
	g := at.Gate
	switch g.Kind {
	case "key":
		return rota.Reason{Text: fmt.Sprintf("%d tasks with the limit key %q run or are about to, and %d is the limit", g.Open, g.Name, g.Max)}
	case "flow":
		return rota.Reason{Text: fmt.Sprintf("%d tasks of %q in the queue %s run or are about to, and %d is the limit", g.Open, g.Name, at.Queue, g.Max)}
	}
	return rota.Reason{Text: fmt.Sprintf("%d of its job's tasks run or are about to, and %d is the limit", g.Open, g.Max),
		Fix: fmt.Sprintf("rota edit %v --limit %d", at.ID.Job(), g.Max+1)}
}

// ask asks a node for its reasons, and whether it would take the task once it has a free slot.
func ask(at *rota.Standing, n *rota.Node) (noes []rota.Reason, open bool) {
	switch n.State {
	case rota.NodeDown, rota.NodeLost:
		return nil, false
	case rota.NodePaused:
		return []rota.Reason{{Text: fmt.Sprintf("node %s is paused", n.Name), Fix: "rota node resume " + n.Name}}, false
	case rota.NodeDraining:
		return []rota.Reason{{Text: fmt.Sprintf("node %s is being drained", n.Name)}}, false
	case rota.NodeUnable:
		return []rota.Reason{{Text: fmt.Sprintf("node %s could start nothing; its log says why", n.Name)}}, false
	}
	lane := eligible.Lane{Queue: at.Queue, Home: at.Home, On: at.On, Needs: at.Needs, Shell: at.Shell}
	q := eligible.QueueOf(at.Queue, &at.Line)
	q.InAll, q.Now = at.Line.Counts[rota.Running], at.Now.UnixMicro()
	if !at.Pace.IsZero() {
		q.Pace.Full = at.Pace.UnixMicro()
	}
	// A transient node claims for its own session, whose name is not known here: the rule for homes is left out.
	node := eligible.Node{Name: n.Name, Home: at.Home, Patterns: rota.ServedQueues(n.Name, n.Queues), Labels: n.Labels, NoShell: n.NoShell, Offers: n.Offers,
		Free: n.Offers.Less(at.Used[n.Name], 1), Held: map[string]int{at.Queue: at.Held[n.Name]}}
	lasting := false
	for _, no := range eligible.Noes(&lane, &q, &node) {
		noes = append(noes, rota.Reason{Text: no.Text, Fix: no.Fix, For: rota.Duration(no.For)})
		switch no.Kind {
		case eligible.Slots, eligible.Running, eligible.Starts, eligible.Lacking: // pass, as tasks end
		default:
			lasting = true
		}
	}
	if len(noes) == 0 && n.Slots > 0 && n.Running >= n.Slots {
		noes = append(noes, rota.Reason{Text: fmt.Sprintf("all %d slots of node %s are taken", n.Slots, n.Name)})
	}
	if n.Slots == 0 {
		return []rota.Reason{{Text: fmt.Sprintf("node %s has no slots: it only answers", n.Name)}}, false
	}
	return noes, !lasting
}

func addReason(all []rota.Reason, r rota.Reason) []rota.Reason {
	for _, known := range all {
		if known.Text == r.Text {
			return all
		}
	}
	return append(all, r)
}

// slotsFor is how many tasks of the queue a node runs at once.
func slotsFor(at *rota.Standing, n *rota.Node) int {
	if at.Line.Slots > 0 {
		return min(n.Slots, at.Line.Slots)
	}
	return n.Slots
}

// expect says when a ready task is expected to start.
func expect(at *rota.Standing, slots int) *rota.Expect {
	if at.Line.Running > 0 {
		slots = min(slots, at.Line.Running)
	}
	q := eta.Question{Ahead: at.Ahead, Slots: slots}
	for _, d := range at.Runs {
		q.Running = append(q.Running, time.Duration(d))
	}
	for _, d := range at.Took {
		q.Took = append(q.Took, time.Duration(d))
	}
	if at.Line.Paused || at.Ahead >= rota.CountCap {
		return nil
	}
	a, ok := eta.Of(q)
	if !ok {
		return nil
	}
	if at.Line.Starts > 0 {
		least := time.Duration(float64(at.Ahead) / at.Line.Starts * float64(time.Second))
		a.From, a.To = max(a.From, least), max(a.To, least)
	}
	return &rota.Expect{From: at.Now.Add(a.From), To: at.Now.Add(a.To), Seen: len(at.Took)}
}
