package main_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	_ "github.com/rotaqueue/rota/cmd/rota" // so that a change of it makes go test run the scripts again
	"github.com/rotaqueue/rota/store/pgtest"
)

func postgres(ts *testscript.TestScript, s *script, _ bool, _ []string) {
	ts.Setenv("ROTA_STORE", pgtest.Shared(s.TB).Database(s.TB))
}

func exits(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func start(ts *testscript.TestScript, s *script, _ bool, args []string) {
	name := args[0]
	if slices.ContainsFunc(s.started, func(p *process) bool { return p.name == name }) {
		ts.Fatalf("something was started as %s already", name)
	}
	ts.Check(ts.Exec("env", "-0")) // the script's environment, which cannot be asked for otherwise
	cmd := exec.Command("env", args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00")
	for suffix, to := range map[string]*io.Writer{".out": &cmd.Stdout, ".err": &cmd.Stderr} {
		f, err := os.Create(filepath.Join(s.work, name+suffix))
		ts.Check(err)
		defer f.Close()
		*to = f
	}
	ts.Check(cmd.Start())
	p := &process{name: name, cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	s.started = append(s.started, p)
}

func up(ts *testscript.TestScript, s *script, _ bool, args []string) {
	start(ts, s, false, append([]string{args[0], "rota", "up"}, args[1:]...))
	p := s.process(ts, args[0])
	greeting := filepath.Join(s.work, args[0]+".out")
	served := func() bool {
		text, _ := os.ReadFile(greeting)
		return strings.Contains(string(text), "API:")
	}
	if !until(func() bool { return served() || p.hasEnded() }, patience) || p.hasEnded() {
		ts.Fatalf("the node %s does not serve", args[0])
	}
}

func signalTo(ts *testscript.TestScript, s *script, _ bool, args []string) {
	number := unix.SignalNum("SIG" + args[0])
	if number == 0 {
		ts.Fatalf("no such signal: %s", args[0])
	}
	ts.Check(s.process(ts, args[1]).cmd.Process.Signal(number))
}

func signalKeepers(ts *testscript.TestScript, s *script, _ bool, args []string) {
	number := unix.SignalNum("SIG" + args[0])
	pids := s.keepers(ts.Getenv("ROTA_DATA"))
	if number == 0 || len(pids) == 0 {
		ts.Fatalf("signal %s to %d keepers", args[0], len(pids))
	}
	for _, pid := range pids {
		ts.Check(syscall.Kill(pid, number))
	}
	if number == syscall.SIGKILL && !until(func() bool { return len(s.keepers(ts.Getenv("ROTA_DATA"))) == 0 }, patience) {
		ts.Fatalf("a keeper was killed and lives")
	}
}

func ends(ts *testscript.TestScript, s *script, _ bool, args []string) {
	p := s.process(ts, args[1])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", p.name)
	}
	s.started = slices.DeleteFunc(s.started, func(o *process) bool { return o == p })
	for suffix, to := range map[string]io.Writer{".out": ts.Stdout(), ".err": ts.Stderr()} {
		text, err := os.ReadFile(filepath.Join(s.work, p.name+suffix))
		ts.Check(err)
		_, _ = to.Write(text)
	}
	if code := endCode(p.cmd.ProcessState); strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s: exit code %d, want %s", p.name, code, args[0])
	}
}

// endCode is an exit code as a shell has it.
func endCode(state *os.ProcessState) int {
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func waitFor(ts *testscript.TestScript, _ *script, neg bool, args []string) {
	path, pattern := ts.MkAbs(args[0]), regexp.MustCompile(`(?m)`+strings.Join(args[1:], " "))
	there := func() bool {
		if _, err := os.Stat(path); err != nil || len(args) == 1 {
			return (err == nil) != neg
		}
		text, _ := os.ReadFile(path)
		return pattern.Match(text) != neg
	}
	if !until(there, patience) {
		text, _ := os.ReadFile(path)
		ts.Fatalf("waited for %s in vain; it has %q", strings.Join(args, " "), text)
	}
}

func becomes(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	pattern := regexp.MustCompile(`(?m)` + args[0])
	if !until(func() bool {
		_ = ts.Exec(args[1], args[2:]...)
		return pattern.MatchString(ts.ReadFile("stdout"))
	}, patience) {
		ts.Fatalf("its output does not come to match %s", args[0])
	}
}

// dead takes processes that nobody has reaped for dead: who that is to be is not for Rota to say.
func dead(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	for _, arg := range args {
		pid, err := strconv.Atoi(arg)
		ts.Check(err)
		state, _ := exec.Command("ps", "-o", "stat=", "-p", arg).Output()
		if text := strings.TrimSpace(string(state)); syscall.Kill(pid, 0) == nil && !strings.HasPrefix(text, "Z") {
			ts.Fatalf("process %d still runs: %s", pid, text)
		}
	}
}

func inOrder(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	var last time.Time
	for _, text := range args {
		at, err := time.Parse(time.RFC3339Nano, text)
		ts.Check(err)
		if at.Before(last) {
			ts.Fatalf("%v is before %v", at, last)
		}
		last = at
	}
}

func let(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	found := regexp.MustCompile(`(?m)` + args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if found == nil {
		ts.Fatalf("%s does not match %s", args[1], args[2])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

func ask(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	flags := flag.NewFlagSet("ask", flag.ContinueOnError)
	token, body, host := flags.String("token", "", ""), flags.String("body", "", ""), flags.String("host", "", "")
	ts.Check(flags.Parse(args))
	if flags.NArg() != 3 {
		ts.Fatalf("ask: want METHOD STATUS URL")
	}
	var text string
	if *body != "" {
		text = ts.ReadFile(*body)
	}
	req, err := http.NewRequest(flags.Arg(0), flags.Arg(2), strings.NewReader(text))
	ts.Check(err)
	req.Host = *host // empty: the URL's
	if *token != "" {
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(*token)))
	}
	if *body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := (&http.Client{Timeout: patience}).Do(req)
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
	_ = answer.Header.Write(ts.Stderr())
	if strconv.Itoa(answer.StatusCode) != flags.Arg(1) {
		ts.Fatalf("status %d, want %s", answer.StatusCode, flags.Arg(1))
	}
}

func validJSON(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	for _, name := range args {
		n := 0
		for d := json.NewDecoder(strings.NewReader(ts.ReadFile(name))); ; n++ {
			var v any
			err := d.Decode(&v)
			if errors.Is(err, io.EOF) {
				break
			}
			ts.Check(err)
		}
		if n == 0 {
			ts.Fatalf("%s: no JSON in it", name)
		}
	}
}

func atMost(ts *testscript.TestScript, _ *script, _ bool, args []string) {
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	now, most := 0, 0
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		switch strings.Fields(line)[0] {
		case "begin":
			now++
		case "end":
			now--
		default:
			ts.Fatalf("%s: line %q", args[1], line)
		}
		most = max(most, now)
	}
	if most > limit || most == 0 || now != 0 {
		ts.Fatalf("%s: %d at once, want at most %d; %d have not ended", args[1], most, limit, now)
	}
}

func tmpfs(ts *testscript.TestScript, s *script, _ bool, args []string) {
	folder := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(folder, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[0], "none", folder).CombinedOutput(); err != nil {
		s.Skipf("needs a file system that can be filled, and none can be mounted here: %s", strings.TrimSpace(string(out)))
	}
	s.mounts = append(s.mounts, folder)
}
