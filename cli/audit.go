package cli

import (
	"context"
	"iter"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) auditCommand() *cobra.Command {
	var form form
	var q rota.DeedQuery
	most := 0
	cmd := &cobra.Command{
		Use: "audit", Short: "Who changed what, from where, newest first", Args: exactly(),
		Long: `Lists what people and programs changed, as it was recorded with the change itself. Lines are never changed or removed. Who submitted a job
on the node's own machine, or from within another job, stands in the job.`,
		Example: examples("rota audit", "rota audit --by kim --what cancel"),
	}
	form.register(cmd)
	cmd.Flags().StringVar(&q.By, "by", "", "only what this `user` or token did")
	cmd.Flags().StringVar(&q.What, "what", "", "only this `verb`: cancel, put user, create token…")
	cmd.Flags().IntVarP(&most, "number", "n", 50, "how many lines; 0: all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		if most < 0 {
			return rota.Invalid("-n %d: at least 0", most)
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = deedList.print(a, form, c.deeds(cmd.Context(), q, most))
		return err
	}
	return cmd
}

// deeds are lines of the audit, page by page.
func (c *conn) deeds(ctx context.Context, q rota.DeedQuery, most int) iter.Seq2[rota.Deed, error] {
	return func(yield func(rota.Deed, error) bool) {
		const page = 1000
		for n := 0; ; {
			if q.Max = page; most > 0 {
				q.Max = min(page, most-n)
			}
			some, err := c.Audit(ctx, q)
			if err != nil {
				yield(rota.Deed{}, err)
				return
			}
			for _, d := range some {
				if !yield(d, nil) {
					return
				}
			}
			n += len(some)
			if len(some) < q.Max || most > 0 && n >= most {
				return
			}
			q.Before = some[len(some)-1].ID
		}
	}
}

var deedList = list[rota.Deed]{
	id: func(d rota.Deed) string { return strconv.FormatInt(d.ID, 10) },
	columns: []column[rota.Deed]{
		{head: "AT", cell: func(d rota.Deed, s style) string { return s.at(d.At) }},
		{head: "BY", cell: func(d rota.Deed, _ style) string { return clean(d.By) }},
		{head: "FROM", cell: func(d rota.Deed, _ style) string { return clean(d.From) }},
		{head: "WHAT", cell: func(d rota.Deed, _ style) string { return clean(d.What) }},
		{head: "ON", cell: func(d rota.Deed, _ style) string { return clean(d.On) }},
		{head: "DETAIL", cell: func(d rota.Deed, _ style) string { return clean(d.Detail) }},
	},
}
