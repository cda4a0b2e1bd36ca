package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/rotaqueue/rota"
)

// maxForAll is how much of standard input is kept, in bytes, for all nodes to have it.
const maxForAll = 16 << 20

// runEverywhere runs a job on each node that is up and runs anything: a job each, whose outputs are shown one after the
// other. It ends with the code of the first that failed.
func (a *app) runEverywhere(ctx context.Context, c *conn, r *request) error {
	var input []byte
	if a.in != nil && (r.input || r.lines == ownStdin) {
		var err error
		if input, err = io.ReadAll(io.LimitReader(a.in, maxForAll+1)); err != nil {
			return fileError("standard input", err)
		}
		if len(input) > maxForAll {
			return rota.Errorf(rota.ErrTooLarge, "--on %s: standard input, which goes to each node, has more than %v", rota.OnAll, rota.Size(maxForAll)).
				WithFix("name a file that all of them have: --stdin FILE, --each-line FILE")
		}
	}
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	var all []rota.Job
	for i := range nodes {
		n := &nodes[i]
		if n.State != rota.NodeUp || n.Slots == 0 {
			continue
		}
		own := *r
		if own.Spec.On = n.Name; own.Key != "" {
			own.Key += "@" + n.Name
		}
		if input != nil {
			a.in = bytes.NewReader(input)
		}
		got, err := a.place(ctx, c, &own, 0)
		if err != nil {
			return err
		}
		a.noteSubmitted(c, &own, got)
		all = append(all, rota.Job{ID: got.Job, Spec: own.Spec})
	}
	if len(all) == 0 {
		return rota.Errorf(rota.ErrUnavailable, "--on %s: no node is up that runs anything", rota.OnAll).WithFix("rota node ls")
	}
	return a.attend(ctx, c, idsOf(all), func(ctx context.Context) error {
		var first error
		for i := range all {
			a.note("rota: job %v on node %s", all[i].ID, all[i].Spec.On)
			err := a.toTheEnd(ctx, c, &all[i], true)
			var code *exit
			if err != nil && (!errors.As(err, &code) || ctx.Err() != nil) {
				return err
			}
			if first == nil {
				first = err
			}
		}
		return first
	})
}

func idsOf(all []rota.Job) []rota.JobID {
	ids := make([]rota.JobID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	return ids
}

// goesOn says that jobs do.
func goesOn(ids []rota.JobID) string {
	if len(ids) == 1 {
		return jobsText(ids) + " goes on"
	}
	return jobsText(ids) + " go on"
}

// jobsText names jobs: "job 7", "jobs 7, 8 and 9".
func jobsText(ids []rota.JobID) string {
	if len(ids) == 1 {
		return "job " + ids[0].String()
	}
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	last := len(texts) - 1
	return "jobs " + strings.Join(texts[:last], ", ") + " and " + texts[last]
}
