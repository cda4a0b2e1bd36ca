package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
	"github.com/rotaqueue/rota/node"
)

// linger is how long a transient node waits for another client after its last client and task (P27).
const linger = 2 * time.Second

// startTransient starts a transient node in the background: a session of its own, the same binary. Of two that start
// at once one gets the folder; the other's client finds the first one's socket. A node that was about to end when we
// came gives the folder free in a moment, and ours is started again.
func startTransient(ctx context.Context, c config.Config) error {
	if err := noStoreHere(c.Data); err != nil {
		return err
	}
	if len(c.Join) > 0 {
		return rota.Errorf(rota.ErrUnavailable, "this machine's node is to join %s, and does not run", c.Join[0]).
			WithFix("rota up, or %s", askThere(c.Join[0]))
	}
	path, err := socketOf(c.Data)
	if err != nil {
		return err
	}
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	ended, err := launch(c)
	if err != nil {
		return err
	}
	for {
		if answers(path) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return notStarted(c.Data, "it does not answer after 30 s")
		case conflict := <-ended:
			if !conflict {
				return notStarted(c.Data, lastLine(filepath.Join(c.Data, "log")))
			}
			ended = nil
		case <-tick.C:
			if ended == nil && !taken(c.Data) {
				if ended, err = launch(c); err != nil {
					return err
				}
			}
		}
	}
}

// socketOf is where the socket of a folder's node is or will be. The folder is made if need be.
func socketOf(data string) (string, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", unusable(data, err)
	}
	return api.SocketPath(data)
}

// conflicted is the exit code by which a transient node says that another has the folder.
const conflicted = 75

// launch starts the process of a transient node. The channel tells when it has ended, and whether that was because
// another node has the folder.
func launch(c config.Config) (ended chan bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnsupported, "start a node: %v", err).WithFix("rota up, in another terminal")
	}
	log, err := os.OpenFile(filepath.Join(c.Data, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, unusable(c.Data, err)
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil && info.Size() > maxLog {
		_ = log.Truncate(0)
	}
	slots := c.Slots.Count()
	if slots == 0 { // that is for nodes of a kind that this is not
		slots = runtime.GOMAXPROCS(0)
	}
	cmd := exec.Command(self, "up", "--transient", "--data", c.Data, "--slots", strconv.Itoa(slots), "--listen", config.NoListen)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.Env = os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "start a node: %v", err).WithFix("rota up, in another terminal")
	}
	ended = make(chan bool, 1)
	go func() {
		_ = cmd.Wait()
		ended <- cmd.ProcessState.ExitCode() == conflicted
	}()
	return ended, nil
}

// maxLog is how long a transient node's log may be before the next one begins it anew.
const maxLog = 1 << 20

func notStarted(data, why string) error {
	return rota.Errorf(rota.ErrUnavailable, "start a node on %s: %s", data, why).
		WithFix("rota doctor, or read %s", filepath.Join(data, "log"))
}

// taken reports whether another process holds the folder's lock.
func taken(data string) bool {
	f, err := os.Open(filepath.Join(data, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// lastLine is the first line of the last words.
func lastLine(path string) string {
	line, _, _ := strings.Cut(lastWords(path), "\n")
	return line
}

// lastWords are the last line of a file, and those that belong to it and are indented: what went wrong, and what mends it.
func lastWords(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "it ended without a word"
	}
	begins := len(text)
	for ok := true; ok; {
		begins = strings.LastIndexByte(text[:begins], '\n')
		ok = begins >= 0 && text[begins+1] == ' '
	}
	return text[begins+1:]
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
			if clients == 0 && !d.busy(ctx) && d.closeDoor(ctx) {
				d.log.Info("nobody needs this transient node any more")
				d.sessions.end((*node.Node).Drain)
				return
			}
			alone.Reset(linger)
		}
	}
}

// closeDoor lets nobody in any more, unless somebody came at the last moment: then the door is opened again.
func (d *daemon) closeDoor(ctx context.Context) bool {
	d.unix.Close()
	if d.api.Clients() == 0 && !d.busy(ctx) {
		return true
	}
	ln, err := api.ListenUnix(d.folder.path)
	if err != nil {
		d.log.Error("open the socket again", "err", err)
		return true
	}
	d.unix = ln
	d.doors.Go(func() { d.serve(d.api, ln) })
	return false
}

// busy reports whether tasks submitted through this node still run or wait for anything but somebody's release.
func (d *daemon) busy(ctx context.Context) bool {
	if d.sessions.busy() > 0 {
		return true
	}
	return d.source.busy(ctx)
}
