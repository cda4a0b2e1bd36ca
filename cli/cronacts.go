package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// cronAct makes cmd the command that does something with each schedule that is named.
func (a *app) cronAct(cmd *cobra.Command, act func(ctx context.Context, c *conn, name string) error) *cobra.Command {
	cmd.Args = some("NAME")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.connect(cmd, wantChange)
		if err != nil {
			return err
		}
		defer c.Close()
		for _, name := range args {
			if err := act(cmd.Context(), c, name); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func (a *app) cronRmCommand() *cobra.Command {
	return a.cronAct(&cobra.Command{Use: "rm NAME...", Short: "Remove schedules; their jobs stay", Example: examples("rota cron rm nightly")},
		func(ctx context.Context, c *conn, name string) error {
			err := c.DropSchedule(ctx, name)
			if err == nil {
				a.note("schedule %s removed", clean(name))
			}
			return err
		})
}

func (a *app) cronRunCommand() *cobra.Command {
	return a.cronAct(&cobra.Command{Use: "run NAME...", Short: "Fire schedules now, whatever their times",
		Long:    `Fires schedules now, also paused ones, and prints the numbers of the jobs. Their next times stay. --overlap holds here too.`,
		Example: examples("rota cron run nightly", "rota wait $(rota cron run nightly)")},
		func(ctx context.Context, c *conn, name string) error {
			f, err := c.FireSchedule(ctx, name)
			if err != nil {
				return err
			}
			if f.Job == 0 {
				return rota.Errorf(rota.ErrConflict, "schedule %q: skipped, %s", name, f.Skipped)
			}
			for i := range f.Jobs {
				if _, err := a.out.Write([]byte((f.Job + rota.JobID(i)).String() + "\n")); err != nil {
					return err
				}
			}
			return nil
		})
}

func (a *app) cronPauseCommand() *cobra.Command {
	return a.cronAct(&cobra.Command{Use: "pause NAME...", Short: "Let schedules rest until they are resumed", Example: examples("rota cron pause nightly")},
		func(ctx context.Context, c *conn, name string) error { return a.pauseSchedule(ctx, c, name, true) })
}

func (a *app) cronResumeCommand() *cobra.Command {
	return a.cronAct(&cobra.Command{Use: "resume NAME...", Short: "Let paused schedules go on; what they missed is not made up for", Example: examples("rota cron resume nightly")},
		func(ctx context.Context, c *conn, name string) error { return a.pauseSchedule(ctx, c, name, false) })
}

func (a *app) pauseSchedule(ctx context.Context, c *conn, name string, paused bool) error {
	r, err := c.Schedule(ctx, name)
	if err != nil {
		return err
	}
	s := r.Schedule
	if s.Held && !paused {
		return rota.Errorf(rota.ErrConflict, "schedule %q: it is held, as its crontab may still run it", name).
			WithFix("take the line out of the crontab, then: crontab -l | rota cron import --take-over -")
	}
	s.Paused = paused
	if s, err = c.PutSchedule(ctx, s); err != nil {
		return err
	}
	if paused {
		a.note("schedule %s rests; rota cron resume %s lets it go on", clean(name), clean(name))
	} else {
		a.note("schedule %s goes on, next %s", clean(name), both(s.Next, a.now()))
	}
	return nil
}
