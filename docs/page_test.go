package docs_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// step is a block of commands of a page, and what the page says they print.
type step struct {
	line     int // of the page
	commands []string
	output   string
	said     bool // the page says what is printed
}

// steps are the blocks marked sh below a heading, each with the unmarked block that follows it.
func steps(t *testing.T, page, heading string) (all []step) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut("\n"+string(b), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", page, heading)
	}
	line := strings.Count(string(b), "\n") - strings.Count(text, "\n")
	in, fresh := "", false
	for text := range strings.Lines(text) {
		line++
		text = strings.TrimSuffix(text, "\n")
		mark, fence := strings.CutPrefix(text, "```")
		switch {
		case fence && in != "":
			in = ""
		case fence && mark == "sh":
			in, fresh = "sh", true
			all = append(all, step{line: line})
		case fence && mark == "" && fresh:
			in, fresh = "output", false
			all[len(all)-1].said = true
		case fence:
			in, fresh = "other", false
		case in == "sh" && text != "":
			all[len(all)-1].commands = append(all[len(all)-1].commands, text)
		case in == "output":
			all[len(all)-1].output += text + "\n"
		case in == "" && strings.HasPrefix(text, "## ") && strings.HasPrefix(heading, "## "):
			return all
		}
	}
	return all
}

var ellipsis = regexp.MustCompile(` *… *`)

// expression matches what a page says is printed: an ellipsis stands for anything within a line, the blanks around it
// included, and alone on a line for any lines.
func expression(said string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for line := range strings.Lines(said) {
		if line == "…\n" {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(ellipsis.ReplaceAllString(regexp.QuoteMeta(line), `.*`))
	}
	return regexp.MustCompile(b.String() + `\z`)
}

// terminal is a shell in a folder of its own that is told one step after the other.
type terminal struct {
	t   *testing.T
	dir string
	in  io.Writer
	out *bufio.Scanner
}

// open starts a shell in a folder with the binary, and an environment in which nothing of this machine's Rota is set.
func open(t *testing.T, binary string) *terminal {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	dir := t.TempDir()
	if err := os.Link(binary, filepath.Join(dir, "rota")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bash, "--noprofile", "--norc")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		endNodes(t, dir)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return &terminal{t: t, dir: dir, in: in, out: bufio.NewScanner(out)}
}

// endNodes kills what still holds a data folder below dir.
func endNodes(t *testing.T, dir string) {
	locks, _ := filepath.Glob(filepath.Join(dir, "*", "data", "lock"))
	for _, name := range locks {
		lock, err := os.Open(name)
		if err != nil {
			continue
		}
		defer lock.Close()
		for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
			if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
				break
			}
			var pid int
			if b, err := os.ReadFile(name); err == nil {
				_, _ = fmt.Sscan(string(b), &pid)
			}
			if pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

const failedLine = "[the line above ended with "

// do runs a step and returns all it printed. A line that does not end with 0 is said.
func (x *terminal) do(number int, s step) string {
	x.t.Helper()
	script, printed := filepath.Join(x.dir, fmt.Sprint("step", number)), filepath.Join(x.dir, fmt.Sprint("printed", number))
	var b strings.Builder
	for _, c := range s.commands {
		fmt.Fprintf(&b, "%s\ncode=$?; [ $code = 0 ] || echo '%s'$code]\n", c, failedLine)
	}
	if err := os.WriteFile(script, []byte(b.String()), 0o600); err != nil {
		x.t.Fatal(err)
	}
	fmt.Fprintf(x.in, ". '%s' </dev/null >'%s' 2>&1; echo step-is-over\n", script, printed)
	over := make(chan bool, 1)
	go func() { over <- x.out.Scan() }()
	select {
	case ok := <-over:
		if !ok {
			x.t.Fatalf("line %d: the shell ended", s.line)
		}
	case <-time.After(stepTimeout):
		b, _ := os.ReadFile(printed)
		x.t.Fatalf("line %d: not over after %v; printed so far:\n%s", s.line, stepTimeout, b)
	}
	out, err := os.ReadFile(printed)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(out)
}

const stepTimeout = 2 * time.Minute

// follow does all that a page says, and holds what is printed against it.
func follow(t *testing.T, binary string, all []step) {
	t.Helper()
	x := open(t, binary)
	for i, s := range all {
		printed := x.do(i, s)
		if strings.Contains(printed, failedLine) {
			t.Fatalf("line %d of the page: a command failed\n%s\nprinted:\n%s", s.line, strings.Join(s.commands, "\n"), printed)
		}
		if s.said && !expression(s.output).MatchString(printed) {
			t.Fatalf("line %d of the page:\n%s\nprinted:\n%s\nbut the page says:\n%s", s.line, strings.Join(s.commands, "\n"), printed, s.output)
		}
	}
}
