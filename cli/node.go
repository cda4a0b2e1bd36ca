package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) nodeCommand() *cobra.Command {
	return nounCommand("node", "Nodes", nounLs(a, &cobra.Command{Short: "List nodes", Example: examples("rota node ls -o wide")},
		"nodes", nodeList, rota.Service.Nodes), a.nodeShowCommand(), a.nodeSetCommand(), a.nodeDrainCommand(), a.nodePauseCommand(), a.nodeResumeCommand(), a.nodeRmCommand(), a.nodeTokenCommand())
}

func (a *app) nodeShowCommand() *cobra.Command {
	var last string
	cmd := &cobra.Command{
		Use:   "show [flags] NODE",
		Short: "Show a node, and what it did over time",
		Long: `Shows a node, what its machine does, and lines that draw load, memory and running attempts over time, each on a scale from 0 to
what there is (CPUs, memory, slots). A node tells of itself every 10 seconds while it runs something and every minute while it
is idle; that is kept for an hour, one a minute for a day, one every 10 minutes for a week.`,
		Example: examples("rota node show here", "rota node show here --last 24h", "rota node show here --last 7d -o json"),
		Args:    exactly("NODE"),
	}
	cmd.Flags().StringVar(&last, "last", "1h", "how long ago it begins: a `duration`, 7d at most")
	return nounShow(a, cmd, func(cmd *cobra.Command, c *conn, args []string, form string) error {
		span, err := rota.ParseDuration(last)
		if err != nil || span.D() < time.Minute || span.D() > 7*24*time.Hour {
			return rota.Invalid("--last %q: not a duration from 1m to 7d", last)
		}
		return a.nodeShow(cmd, c, args[0], form, span.D())
	})
}

// shownNode is all that is known of a node.
type shownNode struct {
	Node    rota.Node         `json:"node"`
	Samples []rota.NodeSample `json:"samples"`
}

func (a *app) nodeShow(cmd *cobra.Command, c *conn, name, form string, last time.Duration) error {
	nodes, err := c.Nodes(cmd.Context())
	if err != nil {
		return err
	}
	n := nodeNamed(nodes, name)
	if n == nil {
		return noNode(name)
	}
	s := shownNode{Node: *n}
	if s.Samples, err = c.NodeSamples(cmd.Context(), name, a.now().Add(-last)); err != nil {
		return err
	}
	if s.Samples == nil {
		s.Samples = []rota.NodeSample{}
	}
	if form == formJSON {
		return a.printJSON(s)
	}
	_, err = io.WriteString(a.out, a.describeNode(&s.Node)+a.nodeGraphs(s.Samples, last))
	return err
}

func nodeNamed(all []rota.Node, name string) *rota.Node {
	if i := slices.IndexFunc(all, func(n rota.Node) bool { return n.Name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

func noNode(name string) error {
	return rota.Errorf(rota.ErrNotFound, "node %q: there is none", name).WithFix("rota node ls")
}

func (a *app) describeNode(n *rota.Node) string {
	var f fields
	f.add("node", clean(n.Name))
	f.add("state", a.nodeState(n))
	f.add("queues", clean(strings.Join(n.Queues, ",")))
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
		labels = append(labels, k+"="+n.Labels[k])
	}
	f.add("labels", clean(strings.Join(labels, ",")))
	f.add("offers", clean(n.Offers.String()))
	if n.NoShell {
		f.add("shell", "false: it claims no jobs that a shell runs")
	}
	f.add("version", clean(n.Version+", "+n.Platform+", process "+strconv.Itoa(n.PID)))
	f.add("place", clean(strings.TrimPrefix(n.Host+map[bool]string{true: ", " + n.Folder}[n.Folder != ""], ", ")))
	f.add("executors", clean(executorsText(n.Executors)))
	if n.API != "" {
		url, fingerprint, _ := strings.Cut(n.API, "#")
		f.add("API", clean(url))
		if fingerprint != "" {
			f.add("fingerprint", clean(fingerprint))
		}
	}
	f.add("started", both(n.Started, a.now()))
	f.add("seen", both(n.Seen, a.now()))
	f.add("clock", skewText(n.Skew))
	f.add("running", fmt.Sprintf("%d of %d slots", n.Running, n.Slots))
	f.add("serves", servesText(n.Serves))
	s := n.Sample
	if s == nil {
		f.add("measured", "not yet")
		return f.String()
	}
	f.add("load", fmt.Sprintf("%.2f on %s", s.Load1, plural(s.CPUs, "CPU")))
	if s.MemoryTotal > 0 {
		f.add("memory", bytesText(s.MemoryUsed)+" of "+bytesText(s.MemoryTotal)+" used")
	}
	if s.DiskTotal > 0 {
		f.add("disk", bytesText(s.DiskFree)+" of "+bytesText(s.DiskTotal)+" free")
	}
	f.add("measured", both(s.At, a.now()))
	return f.String()
}

// nodeState is what the node does, with what else is to be known of that.
func (a *app) nodeState(n *rota.Node) string {
	text := string(n.State)
	switch {
	case !n.Lost.IsZero():
		text += " since " + both(n.Lost, a.now())
	case n.Paused && n.State == rota.NodeDown:
		text += ", and comes up paused"
	case n.Paused:
		text += ", until rota node resume"
	}
	return text + map[string]string{"transient": ", transient", "joined": ", without a store"}[kindOf(n)]
}

func executorsText(all map[string]string) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		names = append(names, name+" "+all[name])
	}
	return strings.Join(names, ", ")
}

// skewText says how a node's clock differs from the store's, if that is worth saying.
func skewText(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d.Abs() < rota.SkewShown:
		return ""
	case d < 0:
		return (-d).Round(100*time.Millisecond).String() + " behind the store's"
	}
	return d.Round(100*time.Millisecond).String() + " ahead of the store's"
}

func servesText(all []rota.Serving) string {
	var lines []string
	for _, s := range all {
		lines = append(lines, fmt.Sprintf("%s: running %d, idle %d of %s", clean(s.Queue), s.Running, s.Idle, plural(s.Slots, "slot")))
	}
	return strings.Join(lines, "\n")
}

var nodeList = list[rota.Node]{
	id: func(n rota.Node) string { return n.Name },
	columns: []column[rota.Node]{
		{head: "NODE", cell: func(n rota.Node, _ style) string { return n.Name }},
		{head: "STATE", cell: func(n rota.Node, _ style) string { return string(n.State) }, tint: nodeTint},
		{head: "RUNNING", cell: func(n rota.Node, _ style) string { return fmt.Sprintf("%d/%d", n.Running, n.Slots) }, right: true},
		{head: "QUEUES", cell: func(n rota.Node, _ style) string { return strings.Join(n.Queues, ",") }},
		{head: "STARTED", cell: func(n rota.Node, s style) string { return s.at(n.Started) }},
		{head: "SEEN", cell: func(n rota.Node, s style) string { return s.at(n.Seen) }},
		{head: "LOST", cell: func(n rota.Node, s style) string { return s.at(n.Lost) }, maybe: true},
		{head: "CLOCK", cell: func(n rota.Node, _ style) string { return skewText(n.Skew) }, maybe: true},
		{head: "HOST", cell: func(n rota.Node, _ style) string { return n.Host }, wide: true},
		{head: "PID", cell: func(n rota.Node, _ style) string { return fmt.Sprint(n.PID) }, right: true, wide: true},
		{head: "PLATFORM", cell: func(n rota.Node, _ style) string { return n.Platform }, wide: true},
		{head: "KIND", cell: func(n rota.Node, _ style) string {
			return kindOf(&n)
		}, wide: true},
		{head: "VERSION", cell: func(n rota.Node, _ style) string { return n.Version }},
	},
}

func kindOf(n *rota.Node) string {
	switch {
	case n.Transient:
		return "transient"
	case n.Joined:
		return "joined"
	}
	return "whole"
}

func nodeTint(n rota.Node) string {
	switch n.State {
	case rota.NodeUp:
		return tintGreen
	case rota.NodeLost, rota.NodeUnable:
		return tintRed
	case rota.NodeDraining, rota.NodePaused:
		return tintYellow
	}
	return tintGrey
}
