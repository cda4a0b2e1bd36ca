package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/keeper"
)

// keeperCommand is how a node starts the process of its keeper: rota keeper FOLDER OUTPUT SLOTS GROUPS, with the socket as
// descriptor 3. It is nobody's to type, and no command of the command line's.
const keeperCommand = "keeper"

// runKeeper is the process of a keeper, until a daemon ends it or nobody can need it any more. TERM gives what runs its
// grace; a second one kills it.
func runKeeper(args []string) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
	if err := keep(args, log); err != nil {
		log.Error("the keeper ends", "error", err)
		return 1
	}
	return 0
}

func keep(args []string, log *slog.Logger) error {
	if len(args) != 4 {
		return rota.Invalid("rota keeper: a node starts this by itself").WithFix("rota up")
	}
	slots, err := strconv.Atoi(args[2])
	groups, err2 := strconv.ParseBool(args[3])
	if err := errors.Join(err, err2); err != nil {
		return rota.Invalid("rota keeper: %v", err)
	}
	file := os.NewFile(3, "socket")
	listener, err := net.FileListener(file)
	if err != nil {
		return rota.Invalid("rota keeper: descriptor 3 is no socket: %v", err).WithFix("rota up")
	}
	_ = file.Close()
	k, err := keeper.New(keeper.Options{Dir: args[0], Output: args[1], Slots: slots, NoGroups: !groups, Subreaper: true, Log: log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)
	go func() {
		<-signals
		log.Info("told to end; what runs has its grace")
		ended := make(chan struct{})
		go func() {
			k.Retire()
			close(ended)
		}()
		select {
		case <-signals:
		case <-ended:
		}
		_ = listener.Close()
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25) // it makes little garbage, and stays beside every node: a quarter more than it uses is room enough
	}
	log.Info("the keeper serves", "slots", slots)
	return keeper.Serve(listener, k)
}

const (
	keeperSocket = "socket" // in the keeper's folder
	keeperLog    = "log"
	// keeperPatience is how long a keeper may take to answer. One that is stopped never does.
	keeperPatience = 10 * time.Second
)

// errKilled is why a keeper did not begin that somebody killed, or the system for want of memory. Another one may.
var errKilled = errors.New("it was killed as it began")

// errNoKeeper is why there is none: the system did not let its process begin.
var errNoKeeper = rota.Errorf(rota.ErrUnavailable, "start the keeper")

// startKeeper starts the process of a new keeper in a folder of its own, in a session of processes of its own: nothing
// that ends the daemon ends it.
func startKeeper(ctx context.Context, o keeper.Options) (*keeper.Remote, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, unusable(o.Dir, err)
	}
	path := filepath.Join(o.Dir, keeperSocket)
	listener, err := keeper.Listen(path)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	socket, err := listener.File()
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "start the keeper: %v", err)
	}
	defer socket.Close()
	log, err := os.OpenFile(filepath.Join(o.Dir, keeperLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, unusable(o.Dir, err)
	}
	defer log.Close()
	self, err := ownProgram()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, keeperCommand, o.Dir, o.Output, strconv.Itoa(o.Slots), strconv.FormatBool(!o.NoGroups))
	cmd.Args[0] = "rota"
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.ExtraFiles = []*os.File{socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	at.Point("daemon: before keeper")
	if err = at.Fail("daemon: fork"); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = os.RemoveAll(o.Dir) // nobody was in it
		return nil, fmt.Errorf("%w: %w", errNoKeeper, err)
	}
	at.Point("daemon: after keeper")
	_ = listener.Close() // the keeper alone listens: if it ends, so does the wait for it
	_ = socket.Close()
	k, err := dialKeeper(ctx, o.Dir)
	if err != nil {
		dead := errors.Is(err, keeper.ErrDead)
		if !dead {
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && dead && status.Signaled() {
			return nil, fmt.Errorf("start the keeper: %w", errKilled)
		}
		return nil, rota.Errorf(rota.ErrUnavailable, "start the keeper: %v; its log says: %s", err, lastLine(log.Name()))
	}
	_ = cmd.Process.Release() // the connection knows the process
	return k, nil
}

// dialKeeper connects to the keeper of a folder.
func dialKeeper(ctx context.Context, dir string) (*keeper.Remote, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, keeperPatience, fmt.Errorf("no answer within %v", keeperPatience))
	defer cancel()
	k, err := keeper.Dial(ctx, filepath.Join(dir, keeperSocket))
	if err != nil && ctx.Err() != nil {
		err = rota.Errorf(rota.ErrUnavailable, "%v; perhaps its process is stopped, and it may have jobs", err).
			WithFix("pgrep -af 'rota keeper %s ', then kill -CONT it, or kill -KILL it with what it runs", dir)
	}
	return k, err
}

// ownProgram is the program that runs: by its name, or, when its file was replaced or removed since, by the one that
// Linux gives the file that it was.
func ownProgram() (string, error) {
	const self = "/proc/self/exe"
	path, err := os.Executable()
	if err != nil {
		return "", rota.Errorf(rota.ErrUnsupported, "find rota's own program: %v", err)
	}
	running, err := os.Stat(self)
	if err != nil {
		return path, nil
	}
	if found, err := os.Stat(path); err != nil || !os.SameFile(found, running) {
		return self, nil
	}
	return path, nil
}
