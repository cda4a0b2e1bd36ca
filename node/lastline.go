package node

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// lookBack is in how much of the end of an output its last line is looked for.
const lookBack = 4 << 10

// sequences are those of terminals: they say nothing of what failed.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])`)

// lastLine is the last line with anything in it that a failed attempt wrote, to stderr if it wrote there: mostly that
// says why. It is for people and for what is alike, and nothing depends on it.
func lastLine(x executor.Exit) string {
	if x.Outcome != rota.OutcomeFailed && x.Outcome != rota.OutcomeRefused {
		return ""
	}
	for _, s := range []rota.Stream{rota.Stderr, rota.Stdout} {
		if line := lastOf(x.Output[s]); line != "" {
			return line
		}
	}
	return ""
}

func lastOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	text := make([]byte, min(size, lookBack))
	if _, err := f.ReadAt(text, size-int64(len(text))); err != nil {
		return ""
	}
	for {
		text = bytes.TrimRightFunc(text, unicode.IsSpace)
		i := bytes.LastIndexAny(text, "\n\r")
		if line := readable(text[i+1:]); line != "" {
			return line
		}
		if i < 0 {
			return ""
		}
		text = text[:i]
	}
}

// readable is a line as text of one line: valid, without what terminals alone understand, and not too long.
func readable(line []byte) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(sequences.ReplaceAll(line, nil)), ""))
	text = strings.TrimSpace(text)
	if len(text) > rota.MaxError {
		text = strings.ToValidUTF8(text[:rota.MaxError], "")
	}
	return text
}
