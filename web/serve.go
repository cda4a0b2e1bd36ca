package web

import (
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// servedLine is a pattern of queues of a node's list.
type servedLine struct {
	Pattern string
	Serving *rota.Serving // what the node does for them, if it told
	Own     bool          // the node's own queue, which it always serves
	Not     bool          // they are not served
}

func servedLines(n *rota.Node) []servedLine {
	var lines []servedLine
	for _, p := range n.Queues {
		if slices.Contains(n.Queues, "!"+p) {
			continue
		}
		l := servedLine{Pattern: p, Own: p == "@"+n.Name, Not: strings.HasPrefix(p, "!")}
		if k := slices.IndexFunc(n.Serves, func(s rota.Serving) bool { return s.Queue == p }); k >= 0 {
			l.Serving = &n.Serves[k]
		}
		lines = append(lines, l)
	}
	return lines
}

// Queue is the pattern without what excludes it.
func (l servedLine) Queue() string { return strings.TrimPrefix(l.Pattern, "!") }

// listed are a node's patterns without its own queue, which stands before all lists, and without what they exclude.
func listed(n *rota.Node) []string {
	return slices.DeleteFunc(slices.Clone(n.Queues), func(p string) bool { return p == "@"+n.Name || slices.Contains(n.Queues, "!"+p) })
}

// attached is a list with a queue in it, before all others or behind them.
func attached(list []string, queue string, first bool) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(p string) bool { return p == queue || p == "!"+queue })
	if first {
		return append([]string{queue}, list...)
	}
	return append(list, queue)
}

// detached is a list that does not take a queue, also where another pattern would.
func detached(node string, list []string, queue string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(p string) bool { return p == queue })
	if rota.PlaceOf(queue, rota.ServedQueues(node, list)) >= 0 {
		list = append(list, "!"+queue)
	}
	return list
}

// serve changes the queues that a node serves.
func (p *Pages) serve(r *request, name, act string) error {
	all, err := p.svc.Nodes(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(n rota.Node) bool { return n.Name == name })
	if i < 0 {
		return rota.Errorf(rota.ErrNotFound, "node %q: there is none", name)
	}
	list, queue := listed(&all[i]), strings.TrimSpace(r.PostFormValue("queue"))
	switch {
	case act == "serve" && r.PostFormValue("own") == "1":
		list = []string{}
	case act == "serve":
		list = strings.Split(strings.ReplaceAll(r.PostFormValue("list"), " ", ""), ",")
	case queue == "":
		return rota.Invalid("queue: none is named")
	case act == "attach":
		list = attached(list, queue, r.PostFormValue("place") == "first")
	default:
		list = detached(name, list, queue)
	}
	_, err = p.svc.ChangeNode(r.Context(), name, rota.NodeChange{Queues: list})
	return err
}
