package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

func (a *app) nodeSetCommand() *cobra.Command {
	var queues string
	var labels, offers []string
	var shell bool
	cmd := &cobra.Command{
		Use:   "set [flags] NODE",
		Short: "Change what a node serves and offers while it runs",
		Long: `Changes the queues that a node serves, its labels, what it offers to tasks that need something, and whether it claims jobs that a
shell runs. That holds from its next claim on, and over its restarts; what it runs goes on. Queues are patterns in order: * and ?
stand for what they stand for in file names, ! excludes. The node's own queue, @NODE, comes first, and "default" last unless it is
listed or excluded. --queues own gives it back the list that it was started with. A label K= is taken away, and of an offer NAME=0
there is nothing.`,
		Example: examples("rota node set here --queues 'gpu,fast,*,!slow'", "rota node set here --queues own", "rota node set here --label zone=eu --offer gpu=2",
			"rota node set here --label zone=", "rota node set here --shell=false"),
		Args: exactly("NODE"),
	}
	cmd.Flags().StringVar(&queues, "queues", "", "`patterns` of queues to serve, in order, or own")
	cmd.Flags().StringArrayVar(&labels, "label", nil, "`K=V`; K= takes it away; repeatable")
	cmd.Flags().StringArrayVar(&offers, "offer", nil, "`NAME=AMOUNT` of what tasks can need; 0: nothing of it; repeatable")
	cmd.Flags().BoolVar(&shell, "shell", true, "claim jobs that a shell runs; --shell=false leaves them to other nodes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		change, err := nodeChange(cmd.Flags(), queues, labels, offers, shell)
		if err != nil {
			return err
		}
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		n, err := c.ChangeNode(cmd.Context(), args[0], change)
		if err != nil {
			return err
		}
		a.note("node %s serves %s", clean(n.Name), clean(strings.Join(n.Queues, ",")))
		return nil
	}
	return cmd
}

func nodeChange(given *pflag.FlagSet, queues string, labels, offers []string, shell bool) (c rota.NodeChange, err error) {
	if given.Changed("queues") {
		if c.Queues = []string{}; queues != "own" {
			c.Queues = strings.Split(queues, ",")
		}
	}
	for _, text := range labels {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return c, rota.Invalid("--label %q: write K=V, or K= to take it away", text)
		}
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		c.Labels[key] = value
	}
	for _, text := range offers {
		r, err := rota.ParseResources(text)
		if err != nil {
			return c, fmt.Errorf("--offer: %w", err)
		}
		if c.Offers == nil {
			c.Offers = rota.Resources{}
		}
		for name, n := range r {
			c.Offers[name] = n
		}
	}
	if given.Changed("shell") {
		c.Shell = &shell
	}
	if c.Queues == nil && len(c.Labels) == 0 && len(c.Offers) == 0 && c.Shell == nil {
		return c, rota.Invalid("rota node set: nothing to change").WithFix("--queues PATTERNS, --label K=V, --offer NAME=AMOUNT or --shell=false")
	}
	return c, c.Check()
}
