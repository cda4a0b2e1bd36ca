package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

func (a *app) failedCommand() *cobra.Command {
	var filter filterFlags
	var form form
	var by string
	cmd := &cobra.Command{
		Use:   "failed [flags]",
		Short: "List failures in groups of what they have in common",
		Long: `Groups the tasks that are failed by their error: the line at the end of their error output that says most, without numbers, ids,
paths and times. A whole group is tried again with "rota retry --error ID", or taken off this list with "rota dismiss --error ID". Flags
select as those of rota ls. Of more than 20,000 failures the newest are looked at.`,
		Example: examples("rota failed", "rota failed --by queue", "rota retry --error 3f2a9c41d0", "rota failed --queue gpu --by node"),
		Args:    exactly(),
	}
	cmd.Flags().StringVar(&by, "by", string(rota.ByError), "what to group by: `error`, queue, name, node or user")
	filter.register(cmd)
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		if err := oneOf("--by", by, texts(rota.FailureBys)...); err != nil {
			return err
		}
		q := rota.FailureQuery{By: rota.By(by)}
		if err := filter.add(&q.Filter); err != nil {
			return err
		}
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		groups, err := c.Failures(cmd.Context(), q)
		if err != nil {
			return err
		}
		n, err := failureList(rota.By(by)).print(a, form, each(groups))
		a.noteRest(form, "failures", n, false)
		if rota.OnlyNewest(groups) {
			a.note("rota: of the newest %s failures", number(rota.FailuresSeen))
		}
		return err
	}
	return cmd
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = string(all[i])
	}
	return out
}

func failureList(by rota.By) list[rota.FailureGroup] {
	return list[rota.FailureGroup]{
		id: func(g rota.FailureGroup) string { return g.Key },
		columns: []column[rota.FailureGroup]{
			{head: strings.ToUpper(string(by)), cell: func(g rota.FailureGroup, _ style) string { return orText(g.Key, "-") }},
			{head: "COUNT", cell: func(g rota.FailureGroup, _ style) string { return strconv.Itoa(g.Count) }, right: true},
			{head: "KINDS", cell: func(g rota.FailureGroup, _ style) string { return strconv.Itoa(g.Kinds) }, right: true, wide: by == rota.ByError},
			{head: "FIRST", cell: func(g rota.FailureGroup, s style) string { return s.at(g.First) }},
			{head: "LAST", cell: func(g rota.FailureGroup, s style) string { return s.at(g.Last) }},
			{head: "LATEST", cell: func(g rota.FailureGroup, _ style) string { return g.Task.String() }},
			{head: "TEXT", cell: func(g rota.FailureGroup, _ style) string { return g.Text }},
		},
	}
}

func (a *app) reportCommand() *cobra.Command {
	var form form
	var by []string
	var last string
	cmd := &cobra.Command{
		Use:   "report [flags]",
		Short: "Sum up what jobs took, waited and failed",
		Long: `Sums up the attempts that ended in a span of time, as far as their jobs are still kept: CPU time of their processes, time by the clock,
how long tasks waited for their first attempt from when they might have started, and how many succeeded, failed and were tried again.`,
		Example: examples("rota report --by user,queue", "rota report --by name --last 24h -o csv"),
		Args:    exactly(),
	}
	cmd.Flags().StringSliceVar(&by, "by", []string{"user", "queue"}, "what to sum up by: `user`, queue, name, node, schedule; several with commas")
	cmd.Flags().StringVar(&last, "last", "7d", "how long ago it begins: a `duration`")
	form.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := form.check(); err != nil {
			return err
		}
		q := rota.UsageQuery{}
		for _, one := range by {
			if err := oneOf("--by", one, texts(rota.UsageBys)...); err != nil {
				return err
			}
			q.By = append(q.By, rota.By(one))
		}
		span, err := rota.ParseDuration(last)
		if err != nil || span.D() < time.Second {
			return rota.Invalid("--last %q: not a duration", last)
		}
		q.Since = a.now().Add(-span.D())
		c, err := a.connect(cmd, wantRead)
		if err != nil {
			return err
		}
		defer c.Close()
		rows, err := c.Usage(cmd.Context(), q)
		if err != nil {
			return err
		}
		n, err := usageList(q.By).print(a, form, each(rows))
		a.noteRest(form, "attempts that ended in that time", n, false)
		return err
	}
	return cmd
}

func usageList(by []rota.By) list[rota.UsageRow] {
	l := list[rota.UsageRow]{id: func(u rota.UsageRow) string { return strings.Join(u.Keys, ",") }}
	for i, one := range by {
		l.columns = append(l.columns, column[rota.UsageRow]{head: strings.ToUpper(string(one)), cell: func(u rota.UsageRow, _ style) string { return orText(u.Keys[i], "-") }})
	}
	count := func(head string, of func(u *rota.UsageRow) int) {
		l.columns = append(l.columns, column[rota.UsageRow]{head: head, right: true, cell: func(u rota.UsageRow, _ style) string { return strconv.Itoa(of(&u)) }})
	}
	hours := func(head string, of func(u *rota.UsageRow) rota.Duration) {
		l.columns = append(l.columns, column[rota.UsageRow]{head: head, right: true, cell: func(u rota.UsageRow, _ style) string { return fmt.Sprintf("%.3f", of(&u).D().Hours()) }})
	}
	span := func(head string, of func(u *rota.UsageRow) rota.Duration) {
		l.columns = append(l.columns, column[rota.UsageRow]{head: head, right: true, cell: func(u rota.UsageRow, _ style) string { return waitText(of(&u)) }})
	}
	hours("CPU-HOURS", func(u *rota.UsageRow) rota.Duration { return u.CPU })
	hours("HOURS", func(u *rota.UsageRow) rota.Duration { return u.Ran })
	count("ATTEMPTS", func(u *rota.UsageRow) int { return u.Attempts })
	count("SUCCEEDED", func(u *rota.UsageRow) int { return u.Succeeded })
	count("FAILED", func(u *rota.UsageRow) int { return u.Failed })
	count("RETRIED", func(u *rota.UsageRow) int { return u.Retried })
	span("WAITED", func(u *rota.UsageRow) rota.Duration { return u.Waited })
	span("LONGEST", func(u *rota.UsageRow) rota.Duration { return u.Longest })
	return l
}

// waitText is a wait, exact enough to compare.
func waitText(d rota.Duration) string {
	switch {
	case d.D() < time.Second:
		return d.D().Round(time.Millisecond).String()
	case d.D() < time.Minute:
		return d.D().Round(100 * time.Millisecond).String()
	}
	return d.D().Round(time.Second).String()
}
