package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
)

// linger is how long a transient node waits for another client after its last client and task (P27).
const linger = 2 * time.Second

// startTransient starts a transient node in the background: a session of its own, the same binary. Of two that start
// at once one gets the folder; the other's client finds the first one's socket.
func startTransient(ctx context.Context, c config.Config) error {
	self, err := os.Executable()
	if err != nil {
		return rota.Errorf(rota.ErrUnsupported, "start a node: %v", err).WithFix("rota up, in another terminal")
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return rota.Errorf(rota.ErrUnavailable, "data folder %s: %v", c.Data, plain(err)).
			WithFix("choose a folder that you can write with --data DIR or ROTA_DATA")
	}
	log, err := os.OpenFile(filepath.Join(c.Data, "log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "data folder %s: %v", c.Data, plain(err)).
			WithFix("choose a folder that you can write with --data DIR or ROTA_DATA")
	}
	defer log.Close()
	cmd := exec.Command(self, "up", "--transient", "--data", c.Data, "--slots", strconv.Itoa(c.Slots), "--listen", config.NoListen)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.Env = os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return rota.Errorf(rota.ErrUnavailable, "start a node: %v", err).WithFix("rota up, in another terminal")
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return awaitSocket(ctx, c.Data, ended)
}

// awaitSocket waits until a node of the folder answers: ours, or one that was faster.
func awaitSocket(ctx context.Context, data string, ended <-chan error) error {
	path, err := api.SocketPath(data)
	if err != nil {
		return err
	}
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(path) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return notStarted(data, "it does not answer after 30 s")
		case <-ended:
			// It may have found the folder taken by a node that answers in a moment; its log says what it was.
			ended = nil
			deadline.Reset(5 * time.Second)
			if holderPID(data) == 0 || !taken(data) {
				return notStarted(data, lastLine(filepath.Join(data, "log")))
			}
		case <-tick.C:
		}
	}
}

func notStarted(data, why string) error {
	return rota.Errorf(rota.ErrUnavailable, "start a node on %s: %s", data, why).
		WithFix("rota doctor, or read %s", filepath.Join(data, "log"))
}

// taken reports whether somebody holds the folder's lock.
func taken(data string) bool {
	f, err := openFolder(data)
	if err == nil {
		f.close()
	}
	return errors.Is(err, rota.ErrConflict)
}

// lastLine is the last line of a file, for telling what went wrong.
func lastLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "it ended without a word"
	}
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// endWhenAlone drains a transient node when for a while nobody was connected and nothing of its own was left to do.
func (d *daemon) endWhenAlone(ctx context.Context) {
	clients := 0
	alone := time.NewTimer(5 * linger) // its starter connects at once
	defer alone.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case clients = <-d.clients:
			alone.Reset(linger)
		case <-alone.C:
			if clients == 0 && !d.busy(ctx) {
				d.log.Info("nobody needs this transient node any more")
				d.node.Drain()
				return
			}
			alone.Reset(linger)
		}
	}
}

// busy reports whether tasks submitted through this node still run or wait for anything but somebody's release.
func (d *daemon) busy(ctx context.Context) bool {
	if d.node.Busy() > 0 {
		return true
	}
	st, err := d.server.Status(ctx)
	return err != nil || st.Waiting > st.Others
}
