package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// Backup is a backup that was found whole.
type Backup struct {
	Of     string          `json:"of"`
	At     time.Time       `json:"at"`
	Tables []rota.TableSum `json:"tables"`
	Older  bool            `json:"older,omitempty"` // an earlier version of the schema: what is kept twice was not compared
}

func (a *app) backupCommand() *cobra.Command {
	return nounCommand("backup", "Backups of the store: files, made while nodes run", a.backupCreateCommand(), a.backupVerifyCommand(), a.backupRestoreCommand())
}

func (a *app) backupCreateCommand() *cobra.Command {
	var (
		from placeFlags
		form string
	)
	cmd := &cobra.Command{
		Use:   "create [flags] FILE",
		Short: "Write all that the store has at this moment into a file",
		Long: `Writes all that the store has at one moment, of SQLite or PostgreSQL, into a file that is not there yet, while nodes run. The file is a
store of SQLite that can only be read, with the checksums of its tables in it. It appears when it is whole. Keep it as you keep the
store: environments of jobs stand in it.`,
		Example: examples("rota backup create /backup/rota-$(date +%F)", "rota backup create --from postgres://rota@db.example.org/rota monday.rota"),
		Args:    exactly("FILE"),
	}
	from.register(cmd, "from", "`place` of the store (default: this node's)")
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		own, err := a.ownPlace(cmd)
		if err != nil {
			return err
		}
		place, err := from.or(own)
		if err != nil {
			return err
		}
		var c rota.Copied
		err = a.copying(cmd, func(ctx context.Context, step func(rota.CopyStep)) (err error) {
			c, err = a.deps.CreateBackup(ctx, place, args[0], step)
			return err
		})
		if err != nil {
			return err
		}
		a.note("rota: %s rows of %s are in %s", number(c.Rows()), c.From, clean(c.To))
		return a.printSums(c, c.Tables, form)
	}
	return cmd
}

func (a *app) backupVerifyCommand() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use:   "verify [flags] FILE",
		Short: "Look whether a backup is whole",
		Long: `Looks whether a backup is whole: as a file, by the checksums that were written into it when it was made, and by comparing what is kept
twice in it. Ends with 1 if it is not.`,
		Example: examples("rota backup verify /backup/rota-2026-11-22"),
		Args:    exactly("FILE"),
	}
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		var b Backup
		err := a.copying(cmd, func(ctx context.Context, step func(rota.CopyStep)) (err error) {
			b, err = a.deps.VerifyBackup(ctx, args[0], step)
			return err
		})
		if err != nil {
			return err
		}
		a.note("rota: %s is whole; it is what %s had at %s", clean(args[0]), clean(b.Of), both(b.At, a.now()))
		if b.Older {
			a.note("rota: an earlier version of rota made it: what it keeps twice was not compared")
		}
		return a.printSums(b, b.Tables, form)
	}
	return cmd
}

func (a *app) backupRestoreCommand() *cobra.Command {
	var (
		to   placeFlags
		form string
	)
	cmd := &cobra.Command{
		Use:   "restore [flags] FILE",
		Short: "Make a store of a backup, in an empty place",
		Long: `Makes a store of a backup in an empty place, of SQLite or PostgreSQL: that of this node unless --to says another. It is a new incarnation,
as with "rota store copy": what ran when the backup was made is lost, and tried again as its job allows, whether the original has run it
since or not. Stop what still uses the original first.`,
		Example: examples("rota backup restore /backup/rota-2026-11-22", "rota backup restore monday.rota --to postgres://rota@db.example.org/rota"),
		Args:    exactly("FILE"),
	}
	to.register(cmd, "to", "`place` of the store (default: this node's)")
	registerForm(cmd, &form)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkForm(form); err != nil {
			return err
		}
		own, err := a.ownPlace(cmd)
		if err != nil {
			return err
		}
		place, err := to.or(own)
		if err != nil {
			return err
		}
		var c rota.Copied
		err = a.copying(cmd, func(ctx context.Context, step func(rota.CopyStep)) (err error) {
			c, err = a.deps.RestoreBackup(ctx, args[0], place, step)
			return err
		})
		if err != nil {
			return err
		}
		a.noteCopied("restored", c)
		return a.printSums(c, c.Tables, form)
	}
	return cmd
}
