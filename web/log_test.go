package web

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func linesOf(text string, q logQuery) *logView {
	v := &logView{Output: rota.Output{Data: []byte(text), Size: int64(len(text))}}
	v.cut(q)
	return v
}

var tags = regexp.MustCompile(`<[^>]*>`)

func plainLines(v *logView) (out []string) {
	for _, l := range v.Lines {
		out = append(out, tags.ReplaceAllString(string(l.HTML), ""))
	}
	return out
}

// TestLinesThatAreWrittenOverAreShownAsATerminalDoes: bars, colours that stay on, and lines that are gone back over
// (Cronicle#131).
func TestLinesThatAreWrittenOverAreShownAsATerminalDoes(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\n":                        "a|b",
		"10%\r50%\r100%\nend":           "100%|end",
		"\x1b[31mred\nstill\x1b[0m no":  "red|still no",
		"one\ntwo\n\x1b[2Aup\n\n\nlast": "upe\ntwo|last",
		"a\x1b]0;title\x07b\n":          "ab",
		"tab\tx\n":                      "tab\tx",
	} {
		if got := strings.Join(plainLines(linesOf(text, logQuery{})), "|"); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	v := linesOf("\x1b[31mred\nstill\n", logQuery{})
	if !strings.Contains(string(v.Lines[1].HTML), "term-fg31") {
		t.Errorf("the colour is lost: %s", v.Lines[1].HTML)
	}
}

// TestLinesAreNamedByTheirPlace: what comes later names them alike, and a line that is still being written comes again.
func TestLinesAreNamedByTheirPlace(t *testing.T) {
	v := linesOf("ab\ncde\nfg", logQuery{})
	if len(v.Lines) != 3 || v.Lines[1].At != 3 || v.Lines[2].At != 7 || v.Lines[2].N != 3 || !v.Lines[2].Open || v.Next != 7 {
		t.Errorf("%+v", v)
	}
	v.Ended = true
	long := strings.Repeat("0123456789\n", logLines+500)
	v = linesOf(long, logQuery{Tail: true})
	if len(v.Lines) != logLines || v.First != 500*11 || v.Complete || v.Next != int64(len(long)) {
		t.Errorf("the end of it: %d lines from %d, next %d", len(v.Lines), v.First, v.Next)
	}
	v = linesOf(long, logQuery{})
	if len(v.Lines) != logLines || v.First != 0 || v.Next != logLines*11 {
		t.Errorf("the beginning: %d lines from %d, next %d", len(v.Lines), v.First, v.Next)
	}
	one := linesOf(strings.Repeat("x", 5*lineBytes), logQuery{})
	if len(one.Lines) != 1 || len(one.Lines[0].HTML) > 2*lineBytes || one.Next != 5*lineBytes {
		t.Errorf("one long line: %d lines, next %d", len(one.Lines), one.Next)
	}
}

var allowed = regexp.MustCompile(`^</?span(?: class="[a-z0-9 -]*")?>$`)

// TestOutputIsNeverMarkup: whatever a job writes, nothing but spans with classes comes of it.
func TestOutputIsNeverMarkup(t *testing.T) {
	for _, text := range []string{`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07",
		"\x1b]1337;File=name=eA==;inline=1:PHN2Zy8+\x07", "\x1b]1338;url='http://x/y.png';alt='<b>'\x07", "\x1b]1339;url='javascript:alert(1)'\x07",
		"\x1b_bk;t=1\x07<b>", "\x1b[38;2;1;2;3mrgb\x1b[48;5;200mx", "\x1b[<script>m", "&lt;script&gt;", "\x1b]1337;File=;inline=1:\n<script>", "a\x00b\xff<i>"} {
		for _, l := range linesOf(text+"\n", logQuery{}).Lines {
			for _, tag := range tags.FindAllString(string(l.HTML), -1) {
				if !allowed.MatchString(tag) {
					t.Errorf("%q became %s", text, tag)
				}
			}
		}
	}
}

func FuzzLog(f *testing.F) {
	for _, seed := range []string{"a\nb", "\x1b[31m<x>\r\n", "\x1b[5A\x1b[2K", "\x1b]8;;x\x07"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := linesOf(string(data), logQuery{Tail: len(data)%2 == 0})
		for _, l := range v.Lines {
			for _, tag := range tags.FindAllString(string(l.HTML), -1) {
				if !allowed.MatchString(tag) {
					t.Fatalf("%q became %s", data, tag)
				}
			}
		}
	})
}

func TestSearches(t *testing.T) {
	for text, want := range map[string]string{
		`train model`: `{"name":"*train*model*"}`, `state:failed,held queue:gpu`: `{"states":["held","failed"],"queue":"gpu"}`,
		`error:"exit code 1*"`: `{"error":"exit code 1*"}`, `team=data by:kim`: `{"labels":{"team":"data"},"submitter":"kim"}`,
		`#42`: `{"tasks":[{"first":"42","last":"42.16777214"}]}`, `a:b`: `{"name":"*a:b*"}`, `error:timeout`: `{"error":"timeout"}`,
	} {
		s, err := parseSearch(text)
		got, _ := jsonText(s.Filter)
		if text == `state:failed,held queue:gpu` {
			got = strings.Replace(got, `["failed","held"]`, `["held","failed"]`, 1)
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	if got := withTerm(`x state:failed "a b" error:"p q"`, "state", "held"); got != `x a b error:"p q" state:held` && got != `x "a b" error:"p q" state:held` {
		t.Errorf("with another state: %s", got)
	}
}

// TestNobodyIsSentElsewhere: what an address or a form names as the way on leads to pages of ours only.
func TestNobodyIsSentElsewhere(t *testing.T) {
	for to, ok := range map[string]bool{"": true, "jobs": true, "jobs?q=a+b&sort=name": true, "jobs/42": true, "//evil.example": false, "https://evil.example": false,
		"/\\evil": false, "../../x": false, "javascript:alert(1)": false, "?q=x": true, "jobs#x": false} {
		if got := local(to); got != to == ok {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}
