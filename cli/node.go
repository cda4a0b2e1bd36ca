package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) nodeCommand() *cobra.Command {
	return nounCommand("node", "Nodes", nounLs(a, &cobra.Command{Short: "List nodes", Example: examples("rota node ls -o wide")},
		"nodes", nodeList, rota.Service.Nodes))
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
		{head: "PID", cell: func(n rota.Node, _ style) string { return fmt.Sprint(n.PID) }, right: true, wide: true},
		{head: "PLATFORM", cell: func(n rota.Node, _ style) string { return n.Platform }, wide: true},
		{head: "KIND", cell: func(n rota.Node, _ style) string {
			return map[bool]string{true: "transient", false: "whole"}[n.Transient]
		}, wide: true},
		{head: "VERSION", cell: func(n rota.Node, _ style) string { return n.Version }},
	},
}

func nodeTint(n rota.Node) string {
	switch n.State {
	case rota.NodeUp:
		return tintGreen
	case rota.NodeLost:
		return tintRed
	case rota.NodeDraining:
		return tintYellow
	}
	return tintGrey
}
