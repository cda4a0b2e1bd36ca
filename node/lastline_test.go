package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// TestD14TheLastLineOfAFailureIsTold: what is written last says mostly why, colours and bars aside.
func TestD14TheLastLineOfAFailureIsTold(t *testing.T) {
	for _, c := range []struct{ stdout, stderr, want string }{
		{"", "", ""},
		{"said here\n", "", "said here"},
		{"out\n", "a\nKeyError: 'x'\n\n \n", "KeyError: 'x'"},
		{"", "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\n", "red link"},
		{"", "10%\r50%\rno space\r\n", "no space"},
		{"", "a\x00b\xffc\td\n", "abc d"},
		{"", strings.Repeat("x", 3*lookBack), strings.Repeat("x", rota.MaxError)},
	} {
		dir := t.TempDir()
		x := executor.Exit{Outcome: rota.OutcomeFailed, Output: map[rota.Stream]string{}}
		for s, text := range map[rota.Stream]string{rota.Stdout: c.stdout, rota.Stderr: c.stderr} {
			x.Output[s] = filepath.Join(dir, string(s))
			if err := os.WriteFile(x.Output[s], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := lastLine(x); got != c.want {
			t.Errorf("of %q and %.40q: %q", c.stdout, c.stderr, got)
		}
		x.Outcome = rota.OutcomeSucceeded
		if got := lastLine(x); got != "" {
			t.Errorf("of a success: %q", got)
		}
	}
}
