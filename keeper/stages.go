package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// StagesCommand is how a keeper starts the process that joins the stages of a pipeline, or puts an error wrapper behind
// them: rota stages N ARG… for each command, N being how many; the error wrapper first, 0 if there is none. What became of
// the stages it writes to descriptor 3. It is nobody's to type, and runs as the job does.
//
// It is a process of its own so that a keeper knows one main process of an attempt and no more.
const StagesCommand = "stages"

// errWrapGrace is how long an error wrapper may go on when all that it reads has ended, if something still holds its input.
const errWrapGrace = 10 * time.Second

// join makes the launch that of the process which joins commands.
func (l *launch) join(p *executor.Process) *failure {
	commands := p.Pipe
	if len(commands) == 0 {
		own := append([]string{l.path}, l.argv[min(1, len(l.argv)):]...)
		commands = [][]string{own}
	}
	argv := []string{"rota", StagesCommand}
	for _, c := range append([][]string{p.ErrWrap}, commands...) {
		argv = append(append(argv, strconv.Itoa(len(c))), c...)
	}
	self, err := selfProgram(len(p.Wrap) > 0)
	if err != nil {
		return failOurs(err)
	}
	if l.tells, err = unnamedFile(); err != nil {
		return failOurs(err)
	}
	l.path, l.argv, l.body = self, argv, false
	return nil
}

// selfProgram is this program, by a name that is good for every user; a wrapper needs one that is good in its process, too.
func selfProgram(wrapped bool) (string, error) {
	if runtime.GOOS == "linux" && !wrapped {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// tellStages says in an attempt's reason how its stages ended, when it did not succeed.
func (s *slot) tellStages(o rota.Outcome, reason string) string {
	f := s.tells
	s.tells = nil
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	told := strings.TrimSpace(string(text))
	if err != nil || told == "" || o == rota.OutcomeSucceeded || strings.Trim(told, "0123456789, SIGPE()") != "" {
		return reason // what a job could have written is not told
	}
	return reason + "; its stages ended with " + told
}

// RunStages is the process that joins commands. Its exit code, or signal, is that of the last stage that failed; a stage
// that wrote to one which had read enough did not fail.
func RunStages(args []string) int {
	unix.CloseOnExec(3)
	errWrap, commands, err := parseStages(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rota stages: a keeper starts this by itself:", err)
		return notExecutable
	}
	// The keeper signals the whole group: the stages decide what that means, and this process waits for them.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE)
	wrapper, err := startErrWrap(errWrap)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rota: error wrapper:", err)
		return notFound
	}
	ends := runStages(commands, wrapper.into)
	wrapper.wait()
	texts := make([]string, len(ends))
	var last stageEnd
	for i, e := range ends {
		texts[i] = e.String()
		if e.failed && !(e.signal == unix.SIGPIPE && i < len(ends)-1) {
			last = e
		}
	}
	if len(commands) > 1 {
		_, _ = unix.Pwrite(3, []byte(strings.Join(texts, ", ")), 0)
	}
	return last.leave()
}

func parseStages(args []string) (errWrap []string, commands [][]string, err error) {
	var all [][]string
	for len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 || n >= len(args) {
			return nil, nil, errors.New("its arguments are not what a keeper gives")
		}
		all, args = append(all, args[1:n+1]), args[n+1:]
	}
	if len(all) < 2 {
		return nil, nil, errors.New("there are no stages")
	}
	return all[0], all[1:], nil
}

// stageEnd is how a stage ended.
type stageEnd struct {
	failed bool
	code   int
	signal syscall.Signal // 0: none
}

func (e stageEnd) String() string {
	if e.signal == unix.SIGPIPE {
		return "SIGPIPE"
	}
	if e.signal != 0 {
		return strconv.Itoa(128 + int(e.signal))
	}
	return strconv.Itoa(e.code)
}

// leave ends this process as the stage ended, and is the exit code where it ended with one.
func (e stageEnd) leave() int {
	if e.signal != 0 {
		signal.Reset(e.signal)
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // one core of the two is enough
		_ = unix.Kill(os.Getpid(), e.signal)
		time.Sleep(time.Second) // until it comes
		return 128 + int(e.signal)
	}
	return e.code
}

// runStages starts the commands, joined by pipes, and waits for all of them.
func runStages(commands [][]string, errors *os.File) []stageEnd {
	ends := make([]stageEnd, len(commands))
	running := make([]*exec.Cmd, len(commands))
	in := os.Stdin
	for i, argv := range commands {
		out, next := os.Stdout, (*os.File)(nil)
		if i < len(commands)-1 {
			r, w, err := os.Pipe()
			if err != nil {
				fmt.Fprintln(errors, "rota:", err)
				os.Exit(notExecutable)
			}
			out, next = w, r
		}
		cmd, f := startStage(argv, in, out, errors)
		if f != nil {
			fmt.Fprintf(errors, "rota: stage %d: %s\n", i+1, f.reason)
			ends[i] = stageEnd{failed: true, code: max(f.code, 1)}
		}
		running[i] = cmd
		if in != os.Stdin {
			in.Close()
		}
		if out != os.Stdout {
			out.Close()
		}
		in = next
	}
	_ = os.Stdin.Close()
	_ = os.Stdout.Close()
	for i, cmd := range running {
		if cmd == nil {
			continue
		}
		_ = cmd.Wait()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		ends[i] = stageEnd{failed: !cmd.ProcessState.Success(), code: status.ExitStatus()}
		if status.Signaled() {
			ends[i].signal = status.Signal()
		}
	}
	return ends
}

func startStage(argv []string, in, out, errors *os.File) (*exec.Cmd, *failure) {
	path, f := find(argv[0], os.Environ(), "", func(file string) error { return unix.Access(file, unix.X_OK) })
	if f != nil {
		return nil, f
	}
	cmd := &exec.Cmd{Path: path, Args: argv, Stdin: in, Stdout: out, Stderr: errors}
	if err := cmd.Start(); err != nil {
		return nil, (&launch{path: path, dir: "."}).diagnose(err)
	}
	return cmd, nil
}

// errWrapper is what reads the error output.
type errWrapper struct {
	into *os.File // the error output of the stages
	cmd  *exec.Cmd
}

func startErrWrap(argv []string) (*errWrapper, error) {
	if len(argv) == 0 {
		return &errWrapper{into: os.Stderr}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd, f := startStage(argv, r, os.Stderr, os.Stderr)
	if f != nil {
		return nil, errors.New(f.reason)
	}
	r.Close()
	return &errWrapper{w, cmd}, nil
}

// wait waits until the wrapper has read all, and has ended. That it fails does not make the job fail.
func (w *errWrapper) wait() {
	if w.cmd == nil {
		return
	}
	w.into.Close()
	late := time.AfterFunc(errWrapGrace, func() { _ = w.cmd.Process.Kill() })
	defer late.Stop()
	if err := w.cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "rota: error wrapper:", err)
	}
}
