package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/jar"
	"github.com/rotaqueue/rota/jar/worker"
	"github.com/rotaqueue/rota/keeper"
)

// surplus is what a worker says instead of its name that ended because there were enough.
const surplus = "surplus"

// workInJar is a worker of a jar, and the keeper of what it runs, in this process: its job ends with it, and what the job
// leaves behind when both are killed is ended by who recovers.
func workInJar(ctx context.Context, s jar.Settings, o cli.JarWorkerOptions) error {
	life := jar.Here(s.Node)
	life.Categories = s.Categories
	w, err := s.Register(life, s.Scratch)
	if err != nil {
		return err
	}
	if ok, err := isWanted(s, w, o.AtMost); err != nil || !ok {
		return errors.Join(err, w.Say(jar.Stopped), announce(o, surplus))
	}
	log, err := openJarLog(w, o.Announce)
	if err != nil {
		return err
	}
	k, err := keeper.New(keeper.Options{Dir: w.Life().Keeper, Slots: 1, Subreaper: true, Log: log})
	if err != nil {
		return err
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1) // one job at a time: its parts take turns, and nothing waits for a fork but what started it
	}
	leaveOrphans()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	warnIfOpen(s.Jar, log)
	opts := worker.Options{Worker: w, Keeper: k, Pause: s.Pause, Scratch: w.Life().Scratch, Env: s.Inherited(os.Getenv),
		Timeout: s.Timeout, Grace: s.Grace, Limits: s.Limits, Log: log, Stop: onSignals(log, stop)}
	log.Info("the worker begins", "worker", w.Name(), "version", rota.Version, "categories", strings.Join(s.Categories, " "))
	if err := announce(o, w.Name()); err != nil {
		return err
	}
	err = worker.Run(ctx, opts)
	if err != nil {
		log.Error("the worker ends", "err", err)
	} else {
		log.Info("the worker ends")
	}
	return errors.Join(err, k.Close(), leaveNothing(w.Life()))
}

// isWanted reports whether there are not too many workers on the node with this one.
func isWanted(s jar.Settings, w *jar.Worker, atMost int) (bool, error) {
	if atMost == 0 {
		return true, nil
	}
	n, err := s.Living(w.Life())
	return n <= atMost, err
}

// leaveNothing removes the folders for jobs. The worker's directory stays, and tells that it was.
func leaveNothing(l jar.Life) error {
	return errors.Join(jar.RemoveTree(l.Keeper), jar.RemoveTree(l.Scratch))
}

// onSignals lets the worker end after its job at the first TERM or INT, and ends the job at the second.
func onSignals(log *slog.Logger, stop func()) <-chan struct{} {
	asked := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		log.Info("told to end after the job", "signal", (<-signals).String())
		close(asked)
		log.Info("told to end the job", "signal", (<-signals).String())
		stop()
	}()
	return asked
}

// openJarLog opens the worker's log: stderr in the foreground, and a file in its directory in the background.
func openJarLog(w *jar.Worker, background bool) (*slog.Logger, error) {
	var to io.Writer = os.Stderr
	if background {
		f, err := os.OpenFile(w.Log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return nil, rota.Errorf(rota.ErrUnavailable, "the worker's log: %v", err)
		}
		if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
			return nil, rota.Errorf(rota.ErrInternal, "the worker's log: %v", err)
		}
		to = f
	}
	return slog.New(slog.NewTextHandler(to, nil)), nil
}

// warnIfOpen says so when others can make root run what they like.
func warnIfOpen(j jar.Jar, log *slog.Logger) {
	info, err := os.Stat(j.Unclaimed())
	if err == nil && os.Geteuid() == 0 && info.Mode().Perm()&0o022 != 0 {
		log.Warn("jobs run as root, and others may submit: let a user of its own run workers, or take their right to write", "folder", j.Unclaimed())
	}
}

// announce tells the name of the worker to who waits for it.
func announce(o cli.JarWorkerOptions, name string) error {
	if !o.Announce {
		if name != surplus {
			o.Ready(name)
		}
		return nil
	}
	// Whoever waits goes away when it knows: nothing is said to it any more.
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for fd := range 3 {
		if err := duplicate(int(null.Fd()), fd); err != nil {
			return err
		}
	}
	to := os.NewFile(announceAt, "announcement")
	_, err = fmt.Fprintln(to, name)
	return errors.Join(err, to.Close())
}

// announceAt is the descriptor at which a worker in the background says that it is one.
const announceAt = 3

// startJarWorker starts a worker in a process of its own, in a session of its own: nothing that ends this one ends it.
func startJarWorker(ctx context.Context, s jar.Settings, atMost int) (string, error) {
	self, err := ownProgram()
	if err != nil {
		return "", err
	}
	hear, say, err := os.Pipe()
	if err != nil {
		return "", rota.Errorf(rota.ErrUnavailable, "start a worker: %v", err)
	}
	defer hear.Close()
	cmd := exec.CommandContext(ctx, self, append([]string{"jar", "worker", "--foreground", "--announce", "--at-most", strconv.Itoa(atMost)}, s.Categories...)...)
	cmd.Args[0] = "rota"
	var said strings.Builder
	cmd.Stderr = &said
	cmd.ExtraFiles = []*os.File{say}
	cmd.Env, cmd.Dir = append(os.Environ(), s.Environ()...), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(cmd.Start(), say.Close()); err != nil {
		return "", rota.Errorf(rota.ErrUnavailable, "start a worker: %v", err)
	}
	text, err := io.ReadAll(hear)
	switch name := strings.TrimSpace(string(text)); {
	case err != nil:
		return "", rota.Errorf(rota.ErrUnavailable, "start a worker: %v", err)
	case name == surplus:
		return "", cmd.Wait()
	case name != "":
		return name, cmd.Process.Release()
	}
	_ = cmd.Wait()
	why := strings.TrimPrefix(strings.TrimSpace(said.String()), "rota jar worker: ")
	return "", rota.Errorf(rota.ErrUnavailable, "start a worker: %s", orEnded(why))
}

func orEnded(why string) string {
	if why == "" {
		return "it ended without a word"
	}
	return why
}

// recoverJar gives back what dead workers held.
func recoverJar(s jar.Settings, named []string) ([]jar.Recovered, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return jar.Recovery{Jar: s.Jar, Here: jar.Here(s.Node), Named: named,
		Clear: func(folder string) error { return keeper.Clear(filepath.Clean(folder), log) }}.Run()
}
