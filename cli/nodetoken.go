package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

func (a *app) nodeTokenCommand() *cobra.Command {
	var expires string
	cmd := &cobra.Command{
		Use:   "token [flags] [NODE]",
		Short: "Make a token for a node without a store, and print it, this once",
		Long: `Makes a token by which a node without a store runs tasks for the nodes that have it, and says how that node is started. The token
is for one node only: the one that is named, or the first that uses it. It can do what that node does to run tasks, and nothing else;
"rota token revoke" ends it.`,
		Example: examples("rota node token gpu7 > gpu7.token", "rota node token --expires 90d > spare.token"),
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly([]string{"NODE"}[:min(len(args), 1)]...)(cmd, args)
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: 90d, 12h, or a `time`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t := rota.Token{Name: "node", Role: rota.RoleNode}
		if len(args) > 0 {
			t.Name, t.Node = args[0], args[0]
		}
		if cmd.Flags().Changed("expires") {
			var err error
			if t.Expires, err = parseExpiry(expires, a.now()); err != nil {
				return err
			}
		}
		return a.nodeToken(cmd, t)
	}
	return cmd
}

func (a *app) nodeToken(cmd *cobra.Command, t rota.Token) error {
	c, err := a.connect(cmd, wantWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	if t, err = c.CreateToken(cmd.Context(), t); err != nil {
		return err
	}
	if _, err := io.WriteString(a.out, t.Secret+"\n"); err != nil {
		return err
	}
	a.note("rota: token %d, of %s; it is not shown again", t.ID, ofNode(t))
	if !t.Expires.IsZero() {
		a.note("rota: it ends at %s", both(t.Expires, a.now()))
	}
	address, err := addressOf(cmd, c)
	if err != nil {
		return err
	}
	a.sayJoin(t.Node, address)
	return nil
}

// addressOf is where others reach what answers here; empty: nowhere.
func addressOf(cmd *cobra.Command, c *conn) (string, error) {
	if c.target.Server != "" || c.local {
		return c.target.Server, nil
	}
	st, err := c.Status(cmd.Context())
	return st.API, err
}

// sayJoin says how a node is started that has got a token.
func (a *app) sayJoin(node, address string) {
	argv := []string{"rota", "up", "--join", clean(address), "--token-file", "FILE"}
	if address == "" {
		argv[3] = "ADDRESS"
	}
	if node != "" {
		argv = append(argv, "--name", node)
	}
	a.note("put it into a file of mode 600 on that node, and start it there:\n  %s", rota.Quoted(argv))
	switch at, err := api.ParseAddress(address); {
	case address == "":
		a.note("others cannot reach this node yet; this lets them: rota up --listen 0.0.0.0:2691")
	case err == nil && at.Loopback():
		a.note("only this machine reaches that address; for others: rota up --listen 0.0.0.0:2691")
	}
}

func ofNode(t rota.Token) string {
	if t.Node == "" {
		return "the first node that uses it"
	}
	return "node " + clean(t.Node)
}
