package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
)

// detach starts a node in the background, and returns when it serves, with what it says of itself. One that serves the
// folder already will do (D5), but for a transient one, from which the new one takes it over.
func detach(ctx context.Context, c config.Config, args []string) (greeting string, err error) {
	if serves(ctx, c.Data) {
		return "", nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", unusable(c.Data, err)
	}
	log, err := os.OpenFile(filepath.Join(c.Data, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", unusable(c.Data, err)
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil && info.Size() > maxLog {
		_ = log.Truncate(0)
	}
	self, err := ownProgram()
	if err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = w, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return "", rota.Errorf(rota.ErrUnavailable, "start a node: %v", err)
	}
	w.Close()
	// It says one thing, when it serves; or nothing, and ends.
	said := make([]byte, 16<<10)
	n, err := r.Read(said)
	if n > 0 {
		_ = cmd.Process.Release()
		return string(said[:n]), nil
	}
	_ = cmd.Wait()
	if err == io.EOF && serves(ctx, c.Data) {
		return "", nil // another was faster
	}
	return "", refused(c.Data, lastWords(log.Name()), cmd.ProcessState.ExitCode())
}

// refused is the error of a node that ended with a message and a code, as one that was started in the foreground says it.
func refused(data, said string, code int) error {
	why, fix, _ := strings.Cut(said, "\n")
	why, own := strings.CutPrefix(why, "rota up: ")
	for _, k := range rota.Kinds {
		if own && k.Exit == code {
			return rota.Errorf(k.Err, "%s", why).WithFix("%s", strings.TrimSpace(fix))
		}
	}
	return notStarted(data, why)
}

// serves reports whether a node serves a folder, other than for the time of one command. One that does not let us ask, does.
func serves(ctx context.Context, data string) bool {
	svc, done, err := connect(ctx, cli.Target{Data: data})
	if err != nil {
		return false
	}
	defer done.Close()
	st, err := svc.Status(ctx)
	return err == nil && !st.Transient || errors.Is(err, rota.ErrDenied)
}
