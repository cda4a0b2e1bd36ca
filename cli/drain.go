package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

const (
	drainLook  = 200 * time.Millisecond // how often a node that drains is looked at
	drainReply = 30 * time.Second       // how long one that restarts meanwhile may not answer
)

func (a *app) nodeDrainCommand() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "drain [flags] [NODE]",
		Short: "Let a node end what it runs, and then itself",
		Long: `Asks a node, or without a name the one that answers, to claim nothing more, to give back what has not started, and to end when what
runs has ended. It is asked through the server, so it may be on another machine. "rota up" there starts it anew.`,
		Example: examples("rota node drain", "rota node drain here --wait"),
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly([]string{"NODE"}[:min(len(args), 1)]...)(cmd, args)
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is down; Ctrl-C only stops waiting")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		return a.nodeDrain(cmd.Context(), c, args, wait)
	}
	return cmd
}

// drain is a node that drains, as the command sees it.
type drain struct {
	a       *app
	c       *conn
	name    string
	answers bool      // it is the one that answers: when it is gone, so are the answers
	begun   time.Time // when the node had started
	quiet   time.Time // since when it is down and still answers, or does not answer
	said    time.Time
	last    string
}

func (a *app) nodeDrain(ctx context.Context, c *conn, args []string, wait bool) error {
	if c.local {
		return notDrained(ctx, c, args)
	}
	st, err := c.Status(ctx)
	if err != nil {
		return err
	}
	d := drain{a: a, c: c, name: st.Node, said: a.now()}
	hint := "rota node drain --wait"
	if len(args) > 0 {
		d.name = args[0]
		hint = "rota node drain " + clean(d.name) + " --wait"
	}
	if d.name == "" {
		return rota.Invalid("which node? The server that answers has none of its own").WithFix("rota node ls")
	}
	d.answers = d.name == st.Node
	if err := c.DrainNode(ctx, d.name); err != nil {
		return err
	}
	n, _, err := d.look(ctx)
	if err != nil {
		return err
	}
	d.last = d.standing(n.Running)
	switch {
	case wait:
		a.note("rota: %s", d.last)
		return d.wait(ctx)
	case n.Running > 0:
		a.note("rota: %s; %s waits", d.last, hint)
	default:
		a.note("rota: %s", d.last)
	}
	return nil
}

// notDrained says why, on a folder that no node serves.
func notDrained(ctx context.Context, c *conn, args []string) error {
	if len(args) == 0 {
		return rota.Errorf(rota.ErrConflict, "no node runs on %s", c.target.Data)
	}
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	if nodeNamed(nodes, args[0]) == nil {
		return noNode(args[0])
	}
	return rota.Errorf(rota.ErrConflict, "node %s does not run", args[0])
}

func (d *drain) standing(running int) string {
	text := "node " + clean(d.name) + " drains: "
	switch running {
	case 0:
		return text + "nothing runs any more"
	case 1:
		return text + "1 task still runs"
	}
	return text + plural(running, "task") + " still run"
}

// wait waits until the node is down. One that answers for itself is to have gone, too: its folder is free then.
func (d *drain) wait(ctx context.Context) error {
	defer d.a.screen.clear()
	for {
		n, answered, err := d.look(ctx)
		if err != nil {
			return err
		}
		switch {
		case n.State == rota.NodeDown && (!answered || !d.answers || d.quietFor(drainReply)):
			d.a.note("rota: node %s is down", clean(d.name))
			return nil
		case n.Name == "" && d.quietFor(drainReply):
			d.a.note("rota: node %s does not answer any more", clean(d.name))
			return nil
		case n.State == rota.NodeLost, !answered && d.quietFor(drainReply):
			return rota.Errorf(rota.ErrConflict, "node %s stopped before what ran there had ended; running: %d", d.name, n.Running).
				WithFix("rota up there takes it back")
		case answered && n.State == rota.NodeUp && n.Started.After(d.begun):
			return rota.Errorf(rota.ErrConflict, "node %s is up again: it was started anew", d.name).WithFix("rota node drain %s", d.name)
		case answered && n.State != rota.NodeDown:
			d.quiet = time.Time{}
			d.show(n.Running)
		}
		if err := pause(ctx, drainLook); err != nil {
			return err
		}
	}
}

// quietFor reports whether it has been asked for so long without having been set back.
func (d *drain) quietFor(most time.Duration) bool {
	if d.quiet.IsZero() {
		d.quiet = clock()
	}
	return clock().Sub(d.quiet) > most
}

// show says how far it is: always on a terminal, now and then elsewhere.
func (d *drain) show(running int) {
	text, now := d.standing(running), d.a.now()
	if d.a.screen.errTerm {
		d.a.screen.draw(text)
	} else if text != d.last && now.Sub(d.said) >= sayEvery {
		d.a.note("rota: %s", text)
		d.said, d.last = now, text
	}
}

// look is how the node is. When it is the one that answers and does so no more, its folder is read, if that is here; of
// one elsewhere nothing is known then.
func (d *drain) look(ctx context.Context) (n rota.Node, answered bool, err error) {
	nodes, err := d.nodes(ctx)
	answered = err == nil
	if errors.Is(err, rota.ErrUnavailable) && d.answers {
		nodes, err = d.stored(ctx)
		if errors.Is(err, rota.ErrUnavailable) {
			return rota.Node{}, false, nil
		}
	}
	if err != nil {
		return rota.Node{}, false, err
	}
	found := nodeNamed(nodes, d.name)
	if found == nil {
		return rota.Node{}, answered, noNode(d.name)
	}
	if d.begun.IsZero() {
		d.begun = found.Started
	}
	return *found, answered, nil
}

// stored are the nodes that the folder knows, if the command was not told of a server instead.
func (d *drain) stored(ctx context.Context) ([]rota.Node, error) {
	if d.c.target.Server != "" || d.c.target.Socket != "" {
		return nil, rota.ErrUnavailable
	}
	there, err := d.a.open(ctx, d.c.target, false)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	return there.Nodes(ctx)
}

func (d *drain) nodes(ctx context.Context) ([]rota.Node, error) {
	if d.answers {
		return d.c.Nodes(ctx)
	}
	return patiently(ctx, d.c, func() ([]rota.Node, error) { return d.c.Nodes(ctx) })
}
