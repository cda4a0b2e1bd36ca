package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// watching is a "rota top" on a terminal that a test has.
type watching struct {
	*running
	w    *world
	keys *io.PipeWriter
}

func (w *world) top(args ...string) *watching {
	in, keys := io.Pipe()
	r := &watching{&running{out: newTap(), err: newTap(), code: make(chan int, 1)}, w, keys}
	a := newApp(w.deps(), nil, r.out, r.err)
	a.signals = func(...os.Signal) (<-chan os.Signal, func()) { return w.sigs, func() {} }
	a.console = func() (*console, error) {
		return &console{in: in, out: r.out, size: func() (int, int) { return 100, 20 },
			raw: func() (func(), error) { return func() { _, _ = io.WriteString(r.out, "restored") }, nil }}, nil
	}
	ctx := rota.WithPrincipal(context.Background(), rota.Principal{Name: "me", Role: rota.RoleAdmin})
	go func() { r.code <- a.main(ctx, append([]string{"top"}, args...)) }()
	return r
}

// press presses keys, and waits for a text that comes of it.
func (r *watching) press(keys, text string) {
	r.w.Helper()
	r.out.mu.Lock()
	r.out.buf.Reset()
	r.out.mu.Unlock()
	if _, err := io.WriteString(r.keys, keys); err != nil {
		r.w.Fatal(err)
	}
	r.out.until(r.w.T, text)
}

// TestTopShowsCancelsAndRetries: what runs is there, with its output; keys narrow and order the list, cancel and try again; and the
// terminal is given back.
func TestTopShowsCancelsAndRetries(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "--name", "sleeper", "-c", "echo hello from it; echo oops >&2; exec sleep 300")
	w.ok("submit", "--name", "waiter", "--hold", "--", "true")
	w.run("run", "--name", "broken", "--retries", "0", "-c", "exit 3")
	top := w.top()
	top.out.until(t, "sleeper")
	top.out.until(t, "> ") // the newest that has not ended
	top.press("/wait\r", "not ended, newest, filter: wait")
	if page := top.out.String(); strings.Contains(page[strings.LastIndex(page, "\x1b[H"):], "sleeper") {
		t.Errorf("the filter leaves %q", page)
	}
	top.press("/\x7f\x7f\x7f\x7fsleep\r", "not ended, newest, filter: sleep")
	top.press("l", "hello from it")
	top.press("e", "oops")
	top.press("q", "sleeper")
	top.press("c", "cancel job 1? y or n")
	top.press("n", "not ended, newest")
	top.press("c", "cancel job 1? y or n")
	top.press("y", "1 task cancelled")
	top.press("/\x7f\x7f\x7f\x7f\x7f\r\t", "failed, newest")
	top.out.until(t, "broken")
	top.press("r", "job 3: 1 task to be tried again")
	top.press("s", "failed, oldest")
	top.press("?", "any key goes back")
	top.press("x", "failed, oldest")
	top.press("q", "restored")
	if r := top.end(t); r.code != 0 || !strings.Contains(r.out, "\x1b[?1049l") {
		t.Errorf("it ended with %d and wrote %q, %q", r.code, r.out, r.err)
	}
	if r := w.run("wait", "1"); r.code != 143 || !strings.Contains(r.err, "cancelled") {
		t.Errorf("the job: %+v", r)
	}
}

// TestTopWithoutATerminalIsATable: printed once.
func TestTopWithoutATerminalIsATable(t *testing.T) {
	w := newUp(t)
	w.ok("submit", "--name", "waiter", "--hold", "--", "true")
	w.ok("submit", "--name", "other", "--hold", "--", "true")
	out := w.ok("top", "wait")
	if lines := strings.Split(out, "\n"); !strings.Contains(lines[0], "2 waiting") || !strings.HasPrefix(strings.TrimSpace(lines[1]), "JOB") || !strings.Contains(out, "waiter") || strings.Contains(out, "other") {
		t.Errorf("it prints %q", out)
	}
	w.fails(2, "state", "top", "state:wrong")
	w.fails(2, "--sort", "top", "--sort", "wrong")
}

func TestKeysOfATerminal(t *testing.T) {
	for text, want := range map[string]string{"jk": "j k", "\x1b[A\x1b[B": "up down", "\x1bOA": "up", "\x1b": "escape", "é": "é", "\x1b[5~x": "page up x", "\x1b[99;9zq": "q", "\r\t\x7f\x03": "enter tab backspace ctrl-c", "\x01": ""} {
		if got := strings.Join(keysOf([]byte(text)), " "); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestTopNeverWraps: at no size is a line wider than the terminal, or the page longer; and the chosen job is on it.
func TestTopNeverWraps(t *testing.T) {
	v := &topView{order: "newest", filter: strings.Repeat("long ", 30)}
	var jobs []rota.Job
	for i := range 40 {
		jobs = append(jobs, rota.Job{ID: rota.JobID(40 - i), Queue: "default", Spec: rota.Spec{Name: strings.Repeat("name日", 9), Argv: []string{"true", "\x1b[2J"}}, Progress: rota.Progress{Tasks: 1, Ready: 1}})
	}
	v.take(jobs)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for columns := 1; columns < 130; columns += 3 {
		for _, rows := range []int{1, 2, 3, 5, 24} {
			for _, k := range []string{"", "G", "k", "g", "?", "x", "/", keyEscape} {
				if k != "" {
					v.key(k)
				}
				for _, colour := range []bool{false, true} {
					lines := v.lines(now, columns, rows, colour)
					if len(lines) > max(rows, 2) {
						t.Fatalf("%d lines of %d", len(lines), rows)
					}
					if i := slices.IndexFunc(lines, func(l string) bool { return plainWidth(l) > columns }); i >= 0 {
						t.Fatalf("%d columns: %q", columns, lines[i])
					}
					if rows == 24 && columns > 20 && k == "G" && !strings.Contains(strings.Join(lines, "\n"), "\x1b[7m") && colour {
						t.Fatalf("the chosen job is not on the page: %q", lines)
					}
				}
			}
		}
	}
}
