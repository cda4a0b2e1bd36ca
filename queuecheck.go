package rota

import (
	"regexp"
	"slices"
	"strings"
)

// The limits of a queue's settings.
const (
	MaxDescription  = 1024      // bytes
	MaxWeights      = 1_000     // flows of a queue that have a weight
	MaxWeight       = 1_000_000 // of a flow; the least is one divided by it
	MaxQueueSlots   = 1_000     // of one node
	MaxQueueRunning = 1_000_000
	MaxStarts       = 1_000_000 // a second
	MaxNodesNamed   = 1_000     // nodes that a queue pins, or ignores
)

var (
	executorName = regexp.MustCompile(`^[a-z][a-z0-9]*(:[a-zA-Z0-9._-]+)?$`)
	nodeName     = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)
)

// Check refuses settings that cannot be, or that contradict each other. Which disciplines there are is not known here.
func (s *QueueSettings) Check() error {
	for _, check := range []func() error{s.checkDescription, s.checkFlows, s.Limits.Check, s.checkCounts, s.checkNodes, s.checkRun,
		s.Retry.check, s.checkDedupe, s.Tell.checkTell} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *QueueSettings) checkDescription() error {
	if len(s.Description) > MaxDescription {
		return tooLarge("description", len(s.Description), MaxDescription, "bytes")
	}
	if strings.ContainsFunc(s.Description, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		return Invalid("description: no control characters but line ends")
	}
	return nil
}

func (s *QueueSettings) checkFlows() error {
	if s.Flow != "" {
		if _, err := ParseFlow(string(s.Flow)); err != nil {
			return err
		}
	}
	if len(s.Weights) > MaxWeights {
		return tooLarge("weights", len(s.Weights), MaxWeights, "flows")
	}
	for flow, weight := range s.Weights {
		if len(flow) > MaxLabel {
			return tooLarge("the name of a flow", len(flow), MaxLabel, "bytes")
		}
		if !(weight >= 1.0/MaxWeight && weight <= MaxWeight) {
			return Invalid("weight %v of flow %q: from %v to %d", weight, flow, 1.0/MaxWeight, MaxWeight)
		}
	}
	return nil
}

// ParseFlow reads what flows are: user, key, or label:KEY.
func ParseFlow(text string) (Flow, error) {
	f := Flow(text)
	if f == FlowUser || f == FlowKey {
		return f, nil
	}
	if key, is := f.Label(); is && labelKey.MatchString(key) && len(key) <= MaxLabelKey {
		return f, nil
	}
	return "", Invalid("flow %q: write user, key, or label:KEY", text)
}

// Label is the key of the label whose values are the flows, if that is what they are.
func (f Flow) Label() (key string, is bool) { return strings.CutPrefix(string(f), FlowOfLabel) }

func (s *QueueSettings) checkCounts() error {
	switch {
	case s.Slots < 0 || s.Slots > MaxQueueSlots:
		return Invalid("slots %d: from 1 to %d, or 0 for what holds by default", s.Slots, MaxQueueSlots)
	case s.Running < 0 || s.Running > MaxQueueRunning:
		return Invalid("running %d: from 1 to %d, or 0 for no limit", s.Running, MaxQueueRunning)
	case !(s.Starts >= 0 && s.Starts <= MaxStarts) || s.Starts > 0 && s.Starts < 1.0/86400:
		return Invalid("starts %v: from one a day to %d a second, or 0 for no limit", s.Starts, MaxStarts)
	case s.Keep < 0:
		return Invalid("keep %v: not a length of time", s.Keep)
	}
	return nil
}

func (s *QueueSettings) checkNodes() error {
	for what, names := range map[string][]string{"pin": s.Pin, "ignore": s.Ignore} {
		if len(names) > MaxNodesNamed {
			return tooLarge(what, len(names), MaxNodesNamed, "nodes")
		}
		for _, name := range names {
			if !nodeName.MatchString(name) || len(name) > MaxQueueName-1 {
				return Invalid("%s %q: not the name of a node", what, name)
			}
		}
	}
	return nil
}

func (s *QueueSettings) checkRun() error {
	if s.Executor != "" && !executorName.MatchString(s.Executor) {
		return Invalid("executor %q: not the name of one", s.Executor)
	}
	if s.Executor == ExecutorShell && !s.AllowsShell() {
		return Invalid("executor shell: the queue takes no jobs that a shell runs")
	}
	total := 0
	for i, arg := range slices.Concat(s.Wrap, s.ErrWrap) {
		if strings.ContainsRune(arg, 0) || i == 0 && arg == "" {
			return Invalid("wrap: its argument %d is none", i+1)
		}
		total += len(arg) + 9
	}
	if total > MaxArg {
		return tooLarge("wrap", total, MaxArg, "bytes")
	}
	return nil
}

func (s *QueueSettings) checkDedupe() error {
	switch d := s.Dedupe; {
	case d.Window < 0:
		return Invalid("dedupe window %v: not a length of time", d.Window)
	case d.Then != "" && d.Then != RepeatRefuse && d.Then != RepeatMerge:
		return Invalid("dedupe %q: write %s or %s", d.Then, RepeatRefuse, RepeatMerge)
	}
	return nil
}

// Refuse refuses a job that the queue does not take.
func (q *Queue) Refuse(s *Spec) error {
	switch {
	case q.Draining:
		return Errorf(ErrConflict, "queue %s: is being drained, and takes no new jobs", q.Name).
			WithFix("choose another with --queue, or: rota queue resume %s", q.Name)
	case q.Executor != "" && s.Executor != q.Executor:
		return Invalid("queue %s: its jobs are for the executor %s, and this one is for %s", q.Name, q.Executor, s.Executor).
			WithFix("choose another with --queue")
	case !q.AllowsShell() && s.RunsShell():
		return Errorf(ErrDenied, "queue %s: it takes no jobs that a shell runs", q.Name).
			WithFix("give the command as separate arguments, or several with --pipe, or choose another with --queue")
	}
	return q.Limits.Refuse(s)
}

// isShare reports whether a figure is one of a whole.
func isShare(x float64) bool { return x >= 0 && x <= 1 }
