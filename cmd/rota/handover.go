package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
)

// brief is how long somebody who is no node, such as a submit, may hold the folder.
const brief = 5 * time.Second

// takeFolder takes the data folder. A whole node takes it over from a transient one, which is asked to drain (P27), and
// waits for one that only stores a job.
func takeFolder(ctx context.Context, path string, o cli.UpOptions) (*folder, error) {
	asked := false
	deadline := time.Now().Add(brief)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := openFolder(path)
		if o.Transient || !errors.Is(err, rota.ErrConflict) {
			return f, err
		}
		if !asked {
			st, gone := askTransient(ctx, path)
			switch {
			case gone == nil && !st.Transient, gone != nil && time.Now().After(deadline):
				return nil, err
			case gone == nil:
				asked = true
				fmt.Fprintln(o.Stderr, "rota: a transient node hands the folder over, and what it runs")
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// askTransient asks the node that holds the folder to drain, if it is a transient one.
func askTransient(ctx context.Context, path string) (rota.Status, error) {
	svc, done, err := connect(ctx, cli.Target{Data: path})
	if err != nil {
		return rota.Status{}, err
	}
	defer done.Close()
	st, err := svc.Status(ctx)
	if err != nil || !st.Transient {
		return st, err
	}
	_, err = signalHolder(path, syscall.SIGTERM)
	return st, err
}
