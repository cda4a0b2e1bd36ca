package rota

import "maps"

// NodeSettings are what somebody settled for a node, whatever it says of itself. They hold until they are taken away, over
// its restarts too.
type NodeSettings struct {
	Queues []string          `json:"queues,omitempty" doc:"patterns, in order; none: the node's own"`
	Labels map[string]string `json:"labels,omitempty" doc:"beside the node's own; an empty one takes one of these away"`
	Offers Resources         `json:"offers,omitempty" doc:"beside what the node found and was told; 0 takes one of these away"`
	Shell  *bool             `json:"shell,omitempty" doc:"whether it claims jobs that a shell runs; none: as the node says"`
}

// NodeChange changes settings of a node: what it does not name stays as it is.
type NodeChange struct {
	Queues []string          `json:"queues,omitzero" doc:"an empty list: the node's own again"`
	Labels map[string]string `json:"labels,omitempty" doc:"an empty one takes one away"`
	Offers Resources         `json:"offers,omitempty" doc:"mem in bytes; 0: nothing of it"`
	Shell  *bool             `json:"shell,omitempty" doc:"whether it claims jobs that a shell runs"`
}

// Check refuses a change that cannot be.
func (c *NodeChange) Check() error {
	for _, p := range c.Queues {
		if err := CheckPattern(p); err != nil {
			return err
		}
	}
	if len(c.Queues) > MaxPatterns {
		return tooLarge("queues", len(c.Queues), MaxPatterns, "patterns")
	}
	if err := checkLabels(c.Labels); err != nil {
		return err
	}
	return CheckResources("offer", c.Offers)
}

// Changed are the settings with a change made.
func (s NodeSettings) Changed(c NodeChange) NodeSettings {
	changeList(&s.Queues, c.Queues)
	s.Labels, s.Offers = over(s.Labels, c.Labels), over(s.Offers, c.Offers)
	if c.Shell != nil {
		s.Shell = c.Shell
	}
	return s
}

// over is a map with another one's entries put over it.
func over[M ~map[string]V, V any](m, others M) M {
	if len(others) == 0 {
		return m
	}
	out := maps.Clone(m)
	if out == nil {
		out = M{}
	}
	maps.Copy(out, others)
	return out
}

// With is the node as its settings make it.
func (n Node) With(s NodeSettings) Node {
	if len(s.Queues) > 0 {
		n.Queues = ServedQueues(n.Name, s.Queues)
	}
	n.Labels, n.Offers = over(n.Labels, s.Labels), over(n.Offers, s.Offers)
	if s.Shell != nil {
		n.NoShell = !*s.Shell
	}
	maps.DeleteFunc(n.Labels, func(_, v string) bool { return v == "" })
	return n
}
