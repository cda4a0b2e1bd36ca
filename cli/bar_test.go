package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func TestBar(t *testing.T) {
	half := rota.Progress{Tasks: 1000, Made: 1000, Sealed: true, Succeeded: 497, Failed: 3, Running: 8, Ready: 492}
	for name, c := range map[string]struct {
		view view
		want string
	}{
		"roomy":    {view{name: "43 sweep", progress: half, rate: 24, columns: 100}, "43 sweep [#############!              ] 500/1,000 50% 3 failed 8 running ETA 21s 24/s"},
		"standard": {view{name: "43 sweep", progress: half, rate: 24, columns: 80}, "43 sweep [##########!           ] 500/1,000 50% 3 failed 8 running ETA 21s 24/s"},
		"narrow":   {view{name: "43 sweep", progress: half, rate: 24, columns: 60}, "[####!      ] 500/1,000 50% 3 failed 8 running ETA 21s 24/s"},
		"tight":    {view{name: "43 sweep", progress: half, rate: 24, columns: 30}, "500/1,000 50% 3 failed 24/s"},
		"tiny":     {view{name: "43 sweep", progress: half, rate: 24, columns: 10}, "500/1,000"},
		"less":     {view{name: "43 sweep", progress: half, rate: 24, columns: 6}, "500/…"},
		"start":    {view{name: "1", progress: rota.Progress{Tasks: 5, Sealed: true, Ready: 5}, columns: 60}, "1 [                            ] 0/5 0%"},
		"upload":   {view{name: "1", progress: rota.Progress{Tasks: 5000}, columns: 60}, "1 [                            ] 0/5,000+ 0%"},
		"end":      {view{name: "1", progress: rota.Progress{Tasks: 3, Sealed: true, Succeeded: 3}, rate: 3, columns: 60}, "1 [############################] 3/3 100% 3.0/s"},
		"wide":     {view{name: "1 日本語", progress: rota.Progress{Tasks: 3, Sealed: true, Succeeded: 3}, columns: 40}, "1 日本語 [###################] 3/3 100%"},
		"waiting":  {view{name: "1", progress: rota.Progress{Tasks: 4, Sealed: true, Held: 1, Blocked: 1, Scheduled: 1, Cancelled: 1}, columns: 80}, "1 [!!!!!!                    ] 1/4 25% 1 cancelled 1 held 1 blocked 1 scheduled"},
		"colours":  {view{name: "1", progress: rota.Progress{Tasks: 2, Sealed: true, Succeeded: 1, Failed: 1}, columns: 45, colour: true}, "1 [\x1b[32m###########\x1b[0m\x1b[31m!!!!!!!!!!!\x1b[0m] 2/2 100% \x1b[31m1 failed\x1b[0m"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := bar(c.view); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestBarNeverWraps: at no width and no state does the line fill the terminal.
func TestBarNeverWraps(t *testing.T) {
	for columns := 2; columns < 140; columns++ {
		for done := 0; done <= 7; done++ {
			p := rota.Progress{Tasks: 1_234_567, Sealed: true, Succeeded: done * 100_000, Failed: done * 70_000, Running: 12, Held: 3, Cancelled: done}
			p.Ready = p.Tasks - p.Succeeded - p.Failed - p.Running - p.Held - p.Cancelled
			for _, colour := range []bool{false, true} {
				line := bar(view{name: "123456 a rather long name 日本", progress: p, rate: 1234, columns: columns, colour: colour})
				if n := plainWidth(line); n >= columns {
					t.Fatalf("%d columns of %d: %q", n, columns, line)
				}
			}
		}
	}
}

func TestPlainLineAndSummary(t *testing.T) {
	p := rota.Progress{Tasks: 1000, Sealed: true, Succeeded: 118, Failed: 2, Running: 8, Ready: 872}
	if got, want := plainLine(view{name: "43 sweep", progress: p, rate: 24}), "43 sweep: 120 of 1,000 done, 2 failed, 8 running, 24/s, ETA 37s"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	p = rota.Progress{Tasks: 3, Sealed: true, Succeeded: 1, Failed: 1, Cancelled: 1}
	if got, want := summary("43", p, 1234*time.Millisecond), "43: 3 tasks in 1.2s: 1 succeeded, 1 failed, 1 cancelled"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if r := m.add(now, 100); r != 0 {
		t.Errorf("a rate out of nothing: %v", r)
	}
	for s := 1; s <= 100; s++ {
		rate := m.add(now.Add(time.Duration(s)*time.Second), 100+s*5)
		if rate != 5 {
			t.Fatalf("after %d s: %v a second, want 5", s, rate)
		}
	}
	if len(m.at) > 20 {
		t.Errorf("%d samples are kept", len(m.at))
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain 日本 é": "plain 日本 é", "\x1b[31mred\x1b[0m": "red", "\x1b]0;title\x07text": "text", "\x1b]8;;http://x\x1b\\link": "link",
		"a\tb\nc\rd": "a b c d", "bell\x07\x00\x7f": "bell", "c1\u009b31mx": "c131mx", "bad\xffbyte": "bad\ufffdbyte",
		"rtl\u202eevil": "rtlevil", "\x1b": "", "end\x1b[": "end", "\x1bcreset": "reset",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := cleanLines("a\n\x1b[1mb"); got != "a\nb" {
		t.Errorf("lines: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31mx\x9b\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		if got := clean(s); strings.ContainsFunc(got, func(r rune) bool { return !plain(r) }) {
			t.Errorf("clean(%q) = %q", s, got)
		}
	})
}

func TestTableKeepsItsColumns(t *testing.T) {
	tab := table{heads: []string{"ID", "NAME", "TEXT"}, right: []bool{true, false, false},
		rows: [][]string{{"1", "日本", "short"}, {"100", "x", "a text that is longer than the terminal is wide"}}}
	want := "" +
		" ID  NAME  TEXT\n" +
		"  1  日本  short\n" +
		"100  x     a text that is longer than the terminal is wide\n"
	if got := tab.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	tab.columns = 30
	if got := tab.String(); !strings.Contains(got, "100  x     a text that is lo…\n") {
		t.Errorf("not cut to the terminal:\n%s", got)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	if got := rota.Quoted([]string{"a", "b c", "it's", "", "{line}"}); got != `a 'b c' 'it'\''s' '' {line}` {
		t.Errorf("quoted: %s", got)
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
		ok   bool
	}{{"a\nb\nc\n", 2, "b\nc\n", true}, {"a\nb\nc", 2, "b\nc", true}, {"a\nb\n", 2, "", false}, {"x\na\nb\n", 2, "a\nb\n", true},
		{"", 1, "", false}, {"a", 0, "", true}, {"\n\n\n", 2, "\n\n", true}} {
		at, ok := lastLines([]byte(c.text), c.n)
		if ok != c.ok || (ok && c.text[at:] != c.want) {
			t.Errorf("the last %d lines of %q: %q, %v", c.n, c.text, c.text[at:], ok)
		}
	}
}

func TestExitCode(t *testing.T) {
	task := func(s rota.State, o rota.Outcome, exit, signal int, reason string) *rota.Task {
		t := &rota.Task{State: s, Attempt: rota.Attempt{Outcome: o, Signal: signal, Reason: reason}}
		if exit >= 0 {
			t.Exit = &exit
		}
		return t
	}
	for _, c := range []struct {
		task *rota.Task
		want int
	}{
		{task(rota.Succeeded, rota.OutcomeSucceeded, 0, 0, ""), 0},
		{task(rota.Failed, rota.OutcomeFailed, 3, 0, ""), 3},
		{task(rota.Failed, rota.OutcomeFailed, -1, 11, ""), 139},
		{task(rota.Failed, rota.OutcomeTimedOut, 0, 0, ""), 1},
		{task(rota.Failed, rota.OutcomeTimedOut, -1, 15, ""), 143},
		{task(rota.Failed, rota.OutcomeRefused, 126, 0, ""), 126},
		{task(rota.Failed, rota.OutcomeRefused, 127, 0, "program ./x: no such file or directory"), 127},
		{task(rota.Failed, rota.OutcomeRefused, -1, 0, "permission denied"), 126},
		{task(rota.Failed, rota.OutcomeLost, -1, 0, ""), 125},
		{task(rota.Cancelled, rota.OutcomeEnded, 0, 0, ""), 1},
		{task(rota.Cancelled, rota.OutcomeEnded, -1, 9, ""), 137},
		{task(rota.Cancelled, "", -1, 0, ""), 125},
	} {
		if got := exitCode(c.task); got != c.want {
			t.Errorf("%+v: exit code %d, want %d", c.task, got, c.want)
		}
	}
}
