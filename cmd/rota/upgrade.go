package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// upgradeFile, in the data folder, names the program that the daemon is to become when it gets USR1.
const upgradeFile = "upgrade"

// checkUp says whether a node of this binary could serve the folder, beside one that does.
func checkUp(ctx context.Context, c config.Config) error {
	if err := c.Check(); err != nil {
		return err
	}
	return sqlstore.Fits(ctx, c.StorePlace())
}

// upgrade makes the process of the folder's node another program, in which what runs does not take part.
func upgrade(ctx context.Context, c config.Config, program string) (done cli.Upgraded, err error) {
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return done, rota.Errorf(rota.ErrUnsupported, "find rota's own program: %v", err).WithFix("rota upgrade BINARY")
		}
	}
	if program, err = filepath.Abs(program); err != nil {
		return done, err
	}
	done.Program = program
	if err := tryProgram(ctx, program, c.Data); err != nil {
		return done, err
	}
	before, err := ownNode(ctx, c)
	if err != nil {
		return done, err
	}
	done.From = before.Version
	next := filepath.Join(c.Data, upgradeFile)
	if err := os.WriteFile(next+".new", []byte(program+"\n"), 0o600); err != nil {
		return done, unusable(c.Data, err)
	}
	if err := os.Rename(next+".new", next); err != nil {
		return done, unusable(c.Data, err)
	}
	if told, err := signalHolder(c.Data, syscall.SIGUSR1); err != nil || !told {
		if err == nil {
			err = rota.Errorf(rota.ErrUnavailable, "tell the node, process %d: it does not hold %s", before.PID, c.Data)
		}
		return done, errors.Join(err, os.Remove(next))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		if now, err := ownNode(ctx, c); err == nil && now.Started.After(before.Started) {
			done.To, done.Running = now.Version, now.Running
			return done, nil
		}
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case <-late.C:
			return done, rota.Errorf(rota.ErrUnavailable, "%s was started in the place of the node and does not serve; what ran goes on", program).
				WithFix("read its log, or start the node as it was: rota up")
		case <-tick.C:
		}
	}
}

// tryProgram refuses what could not serve the folder, as long as there is something that does.
func tryProgram(ctx context.Context, program, data string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "up", "--check", "--data", data)
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	switch {
	case err == nil && strings.HasPrefix(text, "rota "):
		return nil
	case err == nil:
		text = "it is no rota, or too old a one"
	case text == "":
		text = err.Error()
	}
	return rota.Errorf(rota.ErrUnsupported, "%s cannot serve %s, and the node stays as it is: %s", program, data, text)
}

// ownNode is the folder's node as it serves. Its process is the one at the other end of the socket.
func ownNode(ctx context.Context, c config.Config) (rota.Node, error) {
	svc, done, err := connect(ctx, cli.Target{Data: c.Data})
	if err != nil {
		return rota.Node{}, err
	}
	defer done.Close()
	st, err := svc.Status(ctx)
	if err != nil {
		return rota.Node{}, err
	}
	nodes, err := svc.Nodes(ctx)
	if err != nil {
		return rota.Node{}, err
	}
	for _, n := range nodes {
		if n.Name == st.Node && n.State != rota.NodeDown {
			return n, nil
		}
	}
	return rota.Node{}, rota.Errorf(rota.ErrUnavailable, "the node that serves %s has not begun yet", c.Data)
}

// upgrade makes the process the program that is asked for.
func (d *daemon) upgrade() {
	path := d.folder.file(upgradeFile)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.Remove(path)
	}
	program := strings.TrimSpace(string(text))
	if err != nil {
		d.log.Error("no upgrade: the program cannot be known", "err", err, "fix", "rota upgrade BINARY")
		return
	}
	d.log.Info("upgrade", "program", program)
	d.next = program
	d.leave()
}
