package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// scriptMark begins the lines of a script that hold flags.
const scriptMark = "#ROTA"

// readScript reads a script, from standard input when the name is "-".
func (a *app) readScript(name string, interpreted bool) (string, error) {
	from, what := a.in, "script on standard input"
	if name != ownStdin {
		f, err := os.Open(name)
		if err != nil {
			return "", fileError("script", err)
		}
		defer f.Close()
		from, what = f, "script "+name
	}
	if from == nil {
		from = strings.NewReader("")
	}
	text, err := io.ReadAll(io.LimitReader(from, rota.MaxText+1))
	switch {
	case err != nil:
		return "", fileError(what, err)
	case len(text) > rota.MaxText:
		return "", rota.Errorf(rota.ErrTooLarge, "%s: longer than %d bytes, the limit", what, rota.MaxText)
	case strings.TrimSpace(string(text)) == "":
		return "", rota.Invalid("%s: is empty", what).WithFix("rota submit -- COMMAND ARG…, or -f FILE")
	case !interpreted && !strings.HasPrefix(string(text), "#!"):
		return "", rota.Invalid("%s: does not begin with #!, so nobody knows what runs it", what).WithFix("begin it with a line such as #!/bin/sh")
	case !utf8.Valid(text):
		return "", rota.Invalid("%s: is not UTF-8 text", what).WithFix("submit the program's path as a command: rota submit -- ./PROGRAM")
	}
	return string(text), nil
}

// scriptFlags reads a script's #ROTA lines, those above its first line that is neither empty nor a comment.
func scriptFlags(text string, f *specFlags) error {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && trimmed[0] != '#' {
			return nil
		}
		rest, ok := strings.CutPrefix(line, scriptMark)
		if !ok || (rest != "" && rest[0] != ' ' && rest[0] != '\t') {
			continue
		}
		if err := parseScriptLine(rest, f); err != nil {
			return rota.Invalid("line %d of the script: %v", number, err).WithFix("%s", fixOr(err, "#ROTA lines take the flags of rota submit"))
		}
	}
	return nil
}

func parseScriptLine(text string, f *specFlags) error {
	words, err := splitWords(text)
	if err != nil {
		return err
	}
	if err := f.fs.Parse(words); err != nil {
		return badFlag(f.fs, "rota submit", err)
	}
	if f.fs.NArg() > 0 {
		return rota.Invalid("%q is no flag", f.fs.Arg(0))
	}
	return nil
}

// splitWords splits a line as a shell does: blanks part words, '…' and "…" hold them together, a backslash takes
// the next letter as it is, and # begins a comment.
func splitWords(text string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		in    bool // within a word
		quote rune
		slash bool
	)
	for _, r := range text {
		switch {
		case slash:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			slash = false
		case r == '\\' && quote != '\'':
			slash, in = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		case r == '#' && !in:
			return words, nil
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if quote != 0 || slash {
		return nil, fmt.Errorf("%q: a quote is not closed", strings.TrimSpace(text))
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}

// scriptSet is the flag set for a script's lines.
func scriptSet(once bool) *specFlags {
	f := newSpecFlags(pflag.NewFlagSet(scriptMark, pflag.ContinueOnError), once)
	if once {
		f.withWait()
	}
	f.fs.Usage = func() {}
	return f
}
