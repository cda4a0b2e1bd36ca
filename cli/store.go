package cli

import (
	"context"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// CopyOptions say what is copied, and how.
type CopyOptions struct {
	From, To string // places: files or URLs of databases
	Lost     bool   // although tasks run
	Step     func(rota.CopyStep)
}

func (a *app) storeCommand() *cobra.Command {
	return nounCommand("store", "Stores: copy one, take one back into use", a.storeCopyCommand(), a.storeUnsealCommand())
}

func (a *app) storeCopyCommand() *cobra.Command {
	var (
		from, to placeFlags
		o        CopyOptions
		form     string
	)
	cmd := &cobra.Command{
		Use:   "copy [flags] --to PLACE",
		Short: "Copy a store to another place, between SQLite and PostgreSQL too",
		Long: `Copies a whole store, with jobs, history and all, to an empty place. A place is sqlite:PATH, a path, the data folder of a node, or
postgres://USER@HOST/DATABASE. In the end all rows are read again and compared; their numbers and checksums are printed.

The source is sealed first: from then on it can be read, and nobody claims or writes there. If the copy fails it is taken back into use; if
the copying is killed, begin it again, or give it up with "rota store unseal". The copy is a new incarnation of the store: sessions of nodes
that used the source are refused, attempts are numbered from the next million on, and schedules make up for what they missed as always. What
runs would be run again: a source in which tasks run is refused, unless --lost says that they are lost.`,
		Example: examples("rota store copy --to postgres://rota@db.example.org/rota", "rota store copy --from sqlite:/var/lib/rota/rota.db --to-file url"),
		Args:    exactly(),
	}
	from.register(cmd, "from", "`place` of the store (default: this node's)")
	to.register(cmd, "to", "`place` of the copy")
	cmd.Flags().BoolVar(&o.Lost, "lost", false, "copy although tasks run: they are lost, and tried again in the copy as their jobs allow")
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if err := checkForm(form); err != nil {
			return err
		}
		if o.From, o.To, err = a.copyPlaces(cmd, &from, &to); err != nil {
			return err
		}
		var c rota.Copied
		err = a.copying(cmd, func(ctx context.Context, step func(rota.CopyStep)) (err error) {
			o.Step = step
			c, err = a.deps.Copy(ctx, o)
			return err
		})
		if err != nil {
			return err
		}
		a.noteSealed(o, c)
		return a.printSums(c, c.Tables, form)
	}
	return cmd
}

// copyPlaces are where the source is and where the copy is to be.
func (a *app) copyPlaces(cmd *cobra.Command, from, to *placeFlags) (source, dest string, err error) {
	own, err := a.ownPlace(cmd)
	if err != nil {
		return "", "", err
	}
	if source, err = from.or(own); err != nil {
		return "", "", err
	}
	if dest, err = to.given(); err == nil && dest == "" {
		err = rota.Invalid("--to is missing: where is the copy to be?").WithFix("--to sqlite:PATH or --to postgres://USER@HOST/DATABASE")
	}
	return source, dest, err
}

// noteSealed says what was copied, what became of the source, and what is to be done.
func (a *app) noteSealed(o CopyOptions, c rota.Copied) {
	a.noteCopied("copied", c)
	a.note("rota: %s is sealed: it can be read, and is written no more. `rota store unseal` would take it back into use", c.From)
	if len(c.Nodes) > 0 && isDatabase(o.From) {
		a.note("rota: nodes that still use it can do nothing there any more; stop them: %s", clean(strings.Join(c.Nodes, ", ")))
	}
	if isDatabase(o.To) {
		a.note("rota: nodes go on with the copy by --store or ROTA_STORE")
	}
}

func (a *app) storeUnsealCommand() *cobra.Command {
	var of placeFlags
	cmd := &cobra.Command{
		Use:   "unseal [flags] [PLACE]",
		Short: "Take a store back into use that was sealed by copying it",
		Long: `Takes the store at a place (default: this node's) back into use that "rota store copy" has sealed. Of a store and its copy only one may
be used: each would run what waits.`,
		Example: examples("rota store unseal", "rota store unseal postgres://rota@db.example.org/rota"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly("PLACE")(cmd, args)
			}
			return nil
		},
	}
	of.register(cmd, "place", "the `place`, likewise")
	cmd.Flags().Lookup("place").Hidden = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			of.place = args[0]
		}
		own, err := a.ownPlace(cmd)
		if err != nil {
			return err
		}
		place, err := of.or(own)
		if err != nil {
			return err
		}
		copiedTo, err := a.deps.Unseal(cmd.Context(), place)
		if err != nil {
			return err
		}
		a.note("rota: the store is in use again; use its copy no more: %s", copiedTo)
		return nil
	}
	return cmd
}

// ownPlace is where the node of this machine keeps jobs.
func (a *app) ownPlace(cmd *cobra.Command) (string, error) {
	c, _, err := a.load(cmd)
	if err == nil && cmd.Flags().Changed("server") {
		err = rota.Invalid("--server: a store is reached by itself, not through a server").WithFix("leave --server out, and run this where the store is")
	}
	return c.StorePlace(), err
}

// copying does what takes its time: it shows how far it is, and ends it in order on a signal.
func (a *app) copying(cmd *cobra.Command, do func(context.Context, func(rota.CopyStep)) error) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	sigs, restore := a.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer restore()
	result := make(chan error, 1)
	p := newCopyProgress(a)
	go func() { result <- do(ctx, p.show) }()
	select {
	case err := <-result:
		a.screen.clear()
		return err
	case s := <-sigs:
		stop()
		a.screen.clear()
		if err := <-result; err == nil {
			return nil // it was just done
		}
		a.note("rota: interrupted; nothing of the copy is left")
		return &exit{code: signalCode(s)}
	}
}
