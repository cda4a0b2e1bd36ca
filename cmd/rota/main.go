// Command rota is all of Rota: node, command line, API. This package is the only place that knows every
// implementation; it opens a data folder and puts store, server, keeper, node and API together.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/user"
	"runtime"
	"time"
	_ "time/tzdata" // zones of schedules are there on machines that have none

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/clients/python"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/keeper"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// init keeps the process's first thread for main: the kernel makes orphans children of that one, and nothing is started on
// it, so that reaping its children takes nobody's exit code. That is the keeper's to do in its process, and reap's in
// others.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 1 && os.Args[1] == keeperCommand {
		os.Exit(runKeeper(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == keeper.StagesCommand {
		os.Exit(keeper.RunStages(os.Args[2:]))
	}
	code := make(chan int, 1)
	go func() { code <- run(arguments(os.Args), os.Stdin, os.Stdout, os.Stderr) }()
	os.Exit(reap(code))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx := rota.WithPrincipal(context.Background(), owner())
	deps := cli.Deps{Connect: connect, Local: local, Up: upOrConflict, Down: down, Upgrade: upgrade, Transient: startTransient, Detach: detach, Program: ownProgram,
		Copy: copyStore, Unseal: unseal, CreateBackup: sqlstore.CreateBackup, VerifyBackup: verifyBackup, RestoreBackup: restoreBackup,
		Jar:    cli.JarDeps{Installed: calledFrom(os.Args[0]), Program: ownProgram, Library: python.Library, Work: workInJar, Start: startJarWorker, Recover: recoverJar},
		Doctor: examine, Bench: benchmark}
	return cli.Main(ctx, deps, args, stdin, stdout, stderr)
}

// upOrConflict is up, but for a transient node that finds the folder taken: its starter knows it by the exit code.
func upOrConflict(ctx context.Context, c config.Config, o cli.UpOptions) error {
	err := up(ctx, c, o)
	if o.Transient && errors.Is(err, rota.ErrConflict) {
		os.Exit(conflicted)
	}
	return err
}

// owner is who uses a data folder without a node between: whoever can open its files may do everything.
func owner() rota.Principal {
	name := "root"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return rota.Principal{Name: name, Role: rota.RoleAdmin, Login: name}
}

// connect reaches a server by URL, or a node by its socket.
func connect(ctx context.Context, t cli.Target) (rota.Service, io.Closer, error) {
	if t.Server != "" {
		c, err := api.Connect(t.Server, t.Token)
		if err != nil {
			return nil, nil, err
		}
		return c, closer(c.Close), nil
	}
	path := t.Socket
	if path == "" {
		var err error
		if path, err = api.SocketPath(t.Data); err != nil {
			return nil, nil, unusable(t.Data, err)
		}
		if !answersSoon(ctx, path, t.Data) {
			return nil, nil, cli.ErrNoNode
		}
	}
	c := api.Dial(path).WithToken(t.Token)
	return c, closer(c.Close), nil
}

// answersSoon waits a moment for the node of a folder that somebody holds: it may be about to start, or to begin anew.
func answersSoon(ctx context.Context, path, data string) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(brief); ; {
		if answers(path) {
			return true
		}
		if !taken(data) || time.Now().After(late) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// closer makes a function an io.Closer.
type closer func()

func (c closer) Close() error { c(); return nil }
