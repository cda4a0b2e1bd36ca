// Package eligible says how many tasks of a lane a node may start now, and if none, why: each "no" of the claim is a rule
// here, with its sentence. The claim asks Room of the lanes that have something ready; who asks why a task waits is
// told by Noes, from the same rules. It touches values only.
package eligible

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Lane is what the tasks of a lane ask of who runs them.
type Lane struct {
	Queue string
	Home  rota.SessionID // only this transient node's session may run them; empty: any
	On    string         // a node's name, or a label as KEY=VALUE; empty: any
	Needs rota.Resources
	Shell bool // one runs them, or may
}

// Node is who claims.
type Node struct {
	Name     string
	Home     rota.SessionID
	Patterns []string // of queues, as rota.ServedQueues makes them
	Labels   map[string]string
	NoShell  bool           // it runs nothing by a shell
	Free     rota.Resources // of what it offers, what its tasks leave
	Offers   rota.Resources
	Held     map[string]int // its tasks by queue; of those that it is not asked for, none are looked up
}

// Queue is a queue's settings and how far they are used.
type Queue struct {
	Name        string
	Paused      bool
	Pin, Ignore []string // nodes
	Slots       int      // of its tasks, how many run at once on one node; 0: as many as the node has slots
	Running     int      // of its tasks, how many run at once in all; 0: any number
	Starts      float64  // of its tasks, how many start in a second; 0: any number

	InAll int   // of its tasks, how many run
	Taken int   // of its tasks, how many this claim starts
	Pace  Pace  // of its starts
	Now   int64 // microseconds, of the clock that the pace goes by
}

// QueueOf is what the rules need of a queue's settings; nil are none.
func QueueOf(name string, q *rota.Queue) Queue {
	if q == nil {
		return Queue{Name: name}
	}
	return Queue{Name: name, Paused: q.Paused, Pin: q.Pin, Ignore: q.Ignore, Slots: q.Slots, Running: q.Running, Starts: q.Starts}
}

// Limited reports whether how much of the queue runs elsewhere counts.
func (q *Queue) Limited() bool { return q.Running > 0 || q.Starts > 0 }

// Take notes that the node starts n more tasks of a lane; fewer, if n is negative.
func Take(l *Lane, q *Queue, n *Node, count int) {
	q.InAll += count
	q.Taken += count
	if q.Slots > 0 {
		if n.Held == nil {
			n.Held = map[string]int{}
		}
		n.Held[q.Name] += count
	}
	n.Free = n.Free.Less(l.Needs, count)
}

// Kind is a rule.
type Kind string

// The rules, in the order in which they are asked.
const (
	Unserved  Kind = "unserved" // the node serves other queues
	Reserved  Kind = "reserved" // for another session (P27)
	Paused    Kind = "paused"
	Pinned    Kind = "pinned" // the queue is for other nodes
	Ignored   Kind = "ignored"
	Elsewhere Kind = "on"    // the job is for other nodes
	Shell     Kind = "shell" // the node runs nothing by a shell
	Lacking   Kind = "needs"
	Slots     Kind = "slots"
	Running   Kind = "running"
	Starts    Kind = "starts"
)

// No is a reason why a node may not start a task of a lane now.
type No struct {
	Kind Kind
	Text string        // a sentence, without a full stop
	Fix  string        // the command that would change it; empty: time or others do
	For  time.Duration // how long it holds at least, if that is known
}

// ask is a question put to the rules.
type ask struct {
	lane  *Lane
	queue *Queue
	node  *Node
}

// rule is one of the claim's conditions: how many tasks it lets through, of so many, and what it says when that is none.
type rule struct {
	kind Kind
	room func(a ask, most int) int
	says func(a ask) No
}

var rules = []rule{
	{Unserved, served, saysUnserved},
	{Reserved, atHome, saysReserved},
	{Paused, goesOn, saysPaused},
	{Pinned, isPinned, saysPinned},
	{Ignored, isTaken, saysIgnored},
	{Elsewhere, isOn, saysElsewhere},
	{Shell, letsShell, saysShell},
	{Lacking, fits, saysLacking},
	{Slots, slots, saysSlots},
	{Running, running, saysRunning},
	{Starts, starts, saysStarts},
}

// Room is how many tasks of a lane the node may start now, at most most, and the rule that says none.
func Room(l *Lane, q *Queue, n *Node, most int) (int, Kind) {
	a := ask{l, q, n}
	for i := range rules {
		if most = min(most, rules[i].room(a, most)); most <= 0 {
			return 0, rules[i].kind
		}
	}
	return most, ""
}

// Noes are all reasons why the node may not start a task of a lane now.
func Noes(l *Lane, q *Queue, n *Node) (all []No) {
	a := ask{l, q, n}
	for i := range rules {
		if rules[i].room(a, 1) <= 0 {
			no := rules[i].says(a)
			no.Kind = rules[i].kind
			all = append(all, no)
		}
	}
	return all
}

// allow is a rule of yes or no.
func allow(yes bool, most int) int {
	if yes {
		return most
	}
	return 0
}

func served(a ask, most int) int {
	return allow(rota.PlaceOf(a.lane.Queue, a.node.Patterns) >= 0, most)
}

func saysUnserved(a ask) No {
	return No{Text: fmt.Sprintf("node %s does not serve the queue %s: it serves %s", a.node.Name, a.lane.Queue, strings.Join(a.node.Patterns, ",")),
		Fix: fmt.Sprintf("rota node set %s --queues …", a.node.Name)}
}

func atHome(a ask, most int) int { return allow(a.lane.Home == a.node.Home, most) }

func saysReserved(a ask) No {
	if a.lane.Home == "" {
		return No{Text: fmt.Sprintf("node %s runs only what is submitted through it, and goes when that has ended", a.node.Name), Fix: "rota up"}
	}
	return No{Text: "it was submitted through a node that a command has started for itself, and runs there as long as that lives"}
}

func goesOn(a ask, most int) int { return allow(!a.queue.Paused, most) }

func saysPaused(a ask) No {
	return No{Text: fmt.Sprintf("the queue %s is paused", a.queue.Name), Fix: fmt.Sprintf("rota queue resume %s", a.queue.Name)}
}

func isPinned(a ask, most int) int {
	return allow(len(a.queue.Pin) == 0 || among(a.node.Name, a.queue.Pin), most)
}

func saysPinned(a ask) No {
	return No{Text: fmt.Sprintf("the queue %s is pinned to %s, and node %s is not among them", a.queue.Name, strings.Join(a.queue.Pin, ", "), a.node.Name),
		Fix: fmt.Sprintf("rota queue set %s --pin %s", a.queue.Name, strings.Join(append(a.queue.Pin[:len(a.queue.Pin):len(a.queue.Pin)], a.node.Name), ","))}
}

// isTaken: a pin wins over what is to be ignored.
func isTaken(a ask, most int) int {
	return allow(len(a.queue.Pin) > 0 || !among(a.node.Name, a.queue.Ignore), most)
}

func saysIgnored(a ask) No {
	return No{Text: fmt.Sprintf("the queue %s is not for node %s", a.queue.Name, a.node.Name), Fix: fmt.Sprintf("rota queue set %s --ignore …", a.queue.Name)}
}

func among(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// isOn: a job can be for one node, or for those with a label.
func isOn(a ask, most int) int {
	on := a.lane.On
	if on == "" {
		return most
	}
	key, value, label := strings.Cut(on, "=")
	if !label {
		return allow(on == a.node.Name, most)
	}
	has, ok := a.node.Labels[key]
	return allow(ok && has == value, most)
}

func saysElsewhere(a ask) No {
	if key, value, label := strings.Cut(a.lane.On, "="); label {
		return No{Text: fmt.Sprintf("the job is for nodes with the label %s, which node %s has not", a.lane.On, a.node.Name),
			Fix: fmt.Sprintf("rota node set %s --label %s=%s", a.node.Name, key, value)}
	}
	return No{Text: fmt.Sprintf("the job is for node %s, and this is %s", a.lane.On, a.node.Name), Fix: fmt.Sprintf("rota relocate JOB %s", a.node.Name)}
}

func letsShell(a ask, most int) int { return allow(!a.lane.Shell || !a.node.NoShell, most) }

func saysShell(a ask) No {
	return No{Text: fmt.Sprintf("the job is one that a shell may run, and node %s claims none of those", a.node.Name),
		Fix: fmt.Sprintf("rota node set %s --shell", a.node.Name)}
}

func fits(a ask, most int) int {
	if len(a.lane.Needs) == 0 {
		return most
	}
	return a.lane.Needs.Times(a.node.Free, most)
}

func saysLacking(a ask) No {
	for _, name := range slices.Sorted(maps.Keys(a.lane.Needs)) {
		need := a.lane.Needs[name]
		if (rota.Resources{name: need}).Times(a.node.Free, 1) > 0 {
			continue
		}
		amount := rota.Amount(name, need)
		if (rota.Resources{name: need}).Times(a.node.Offers, 1) > 0 {
			return No{Text: fmt.Sprintf("it needs %s=%s, and node %s has %s free of %s", name, amount, a.node.Name,
				rota.Amount(name, max(0, a.node.Free[name])), rota.Amount(name, a.node.Offers[name]))}
		}
		return No{Text: fmt.Sprintf("it needs %s=%s, and node %s has %s in all", name, amount, a.node.Name, rota.Amount(name, a.node.Offers[name])),
			Fix: fmt.Sprintf("rota node set %s --offer %s=%s", a.node.Name, name, amount)}
	}
	return No{}
}

func slots(a ask, most int) int {
	if a.queue.Slots <= 0 {
		return most
	}
	return a.queue.Slots - a.node.Held[a.queue.Name]
}

func saysSlots(a ask) No {
	return No{Text: fmt.Sprintf("node %s runs %d tasks of the queue %s, and %d is the limit on one node", a.node.Name, a.node.Held[a.queue.Name], a.queue.Name, a.queue.Slots),
		Fix: fmt.Sprintf("rota queue set %s --slots %d", a.queue.Name, a.queue.Slots+1)}
}

func running(a ask, most int) int {
	if a.queue.Running <= 0 {
		return most
	}
	return a.queue.Running - a.queue.InAll
}

func saysRunning(a ask) No {
	return No{Text: fmt.Sprintf("%d tasks of the queue %s run, and %d is its limit", a.queue.InAll, a.queue.Name, a.queue.Running),
		Fix: fmt.Sprintf("rota queue set %s --running %d", a.queue.Name, a.queue.Running+1)}
}

func starts(a ask, most int) int {
	if a.queue.Starts <= 0 {
		return most
	}
	return a.queue.Pace.Room(a.queue.Starts, a.queue.Now, most+a.queue.Taken) - a.queue.Taken
}

func saysStarts(a ask) No {
	return No{Text: fmt.Sprintf("the queue %s has had its %v starts a second", a.queue.Name, a.queue.Starts),
		Fix: fmt.Sprintf("rota queue set %s --starts %v", a.queue.Name, 2*a.queue.Starts), For: a.queue.Pace.Wait(a.queue.Starts, a.queue.Now)}
}
