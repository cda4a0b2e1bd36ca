package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
)

// conn is a Service and how it was reached.
type conn struct {
	rota.Service
	io.Closer
	target Target
	local  bool // no node runs: the store was opened here
	note   func(format string, args ...any)
}

// remote reports whether the other side does not share the caller's folders and environment.
func (t Target) remote() bool { return t.Server != "" }

// want is what a command does when no node runs on the data folder.
type want int

const (
	wantRead   want = iota // reads the store itself
	wantWrite              // writes the store itself
	wantChange             // likewise, and fails when there is none: it changes what is there
	wantRun                // starts a transient node
)

// connect reaches what the command talks to.
func (a *app) connect(cmd *cobra.Command, w want) (*conn, error) {
	c, settings, err := a.load(cmd)
	if err != nil {
		return nil, err
	}
	t, err := targetOf(c, settings)
	if err != nil {
		return nil, err
	}
	return a.reach(cmd.Context(), c, t, w)
}

func (a *app) reach(ctx context.Context, c config.Config, t Target, w want) (*conn, error) {
	s, closer, err := a.deps.Connect(ctx, t)
	if t.Server != "" || t.Socket != "" || !errors.Is(err, ErrNoNode) {
		return a.conn(s, closer, t, false), err
	}
	switch w {
	case wantRead, wantWrite:
		return a.open(ctx, t, w == wantWrite)
	case wantChange:
		there, err := a.open(ctx, t, false)
		if err != nil || !there.local {
			return there, err
		}
		there.Close()
		return a.open(ctx, t, true)
	}
	for range 10 { // the node that answered may be one that was about to end
		if err := a.deps.Transient(ctx, c); err != nil {
			return nil, err
		}
		if s, closer, err = a.deps.Connect(ctx, t); !errors.Is(err, ErrNoNode) {
			break
		}
	}
	return a.conn(s, closer, t, false), err
}

// open opens the store here; a node that came up meanwhile is asked instead.
func (a *app) open(ctx context.Context, t Target, write bool) (*conn, error) {
	for began := clock(); clock().Sub(began) < 5*time.Second; {
		s, closer, err := a.deps.Local(ctx, t, write)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, noStore(t)
		}
		if !errors.Is(err, rota.ErrConflict) {
			return a.conn(s, closer, t, true), err
		}
		if s, closer, err = a.deps.Connect(ctx, t); !errors.Is(err, ErrNoNode) {
			return a.conn(s, closer, t, false), err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, rota.Errorf(rota.ErrUnavailable, "data folder %s: another process holds it, and does not answer", t.Data).
		WithFix("rota doctor")
}

func (a *app) conn(s rota.Service, closer io.Closer, t Target, local bool) *conn {
	return &conn{Service: s, Closer: closer, target: t, local: local, note: a.note}
}

func noStore(t Target) error {
	return rota.Errorf(rota.ErrNotFound, "nothing is stored yet in %s", t.Data).WithFix("rota run -- COMMAND runs a first job")
}

// targetOf decides whom to ask: what was said with the most weight (a flag before a variable before a file), and
// with equal weight a server before a socket before a folder.
func targetOf(c config.Config, settings config.Settings) (Target, error) {
	server, socket := settings.Of("server").Origin, settings.Of("socket").Origin
	data, token := settings.Of("data").Origin, settings.Of("token-file").Origin
	t := Target{Data: c.Data, Store: c.StorePlace(), Blobs: c.Blobs}
	switch {
	case c.Server != "" && server >= socket && server >= data:
		t.Server = strings.TrimRight(c.Server, "/")
	case c.Socket != "" && socket >= data:
		t.Socket = c.Socket
	case token < config.FromEnv:
		return t, nil // the token of a file is meant for the server of a file
	}
	var err error
	t.Token, err = c.Token()
	return t, err
}

// patience is how long a command that follows a job outlives a node that does not answer: restarting one is shorter.
const patience = 30 * time.Second

// patiently asks again while the node does not answer.
func patiently[T any](ctx context.Context, c *conn, ask func() (T, error)) (T, error) {
	var (
		since time.Time
		wait  = 50 * time.Millisecond
	)
	for {
		v, err := ask()
		if !errors.Is(err, rota.ErrUnavailable) && !errors.Is(err, ErrNoNode) {
			return v, err
		}
		switch {
		case since.IsZero():
			since = clock()
			c.note("rota: the node does not answer; trying for %s more", brief(patience))
		case clock().Sub(since) > patience:
			return v, err
		}
		if stopped := pause(ctx, wait); stopped != nil {
			return v, stopped
		}
		wait = min(2*wait, time.Second)
	}
}

// pause waits, or less when ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
