package rota

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// Fingerprint is what failures of the same kind have in common.
type Fingerprint struct {
	ID   string // short, of the text
	Text string // the line that says most, with what differs from one time to the next folded
}

const (
	fingerprintLines = 20  // how far from the end the line is looked for
	fingerprintBytes = 200 // of the text
)

var (
	escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07]*\x07")
	// What tells that a line speaks of an error, rather than of what was tried besides.
	errorWords = regexp.MustCompile(`(?i)\b(error|exception|fatal|fail(ed|ure)?|panic|cannot|can't|could not|denied|refused|not found|no such|killed|abort(ed)?|undefined|unknown|invalid|timed out|out of memory|segmentation fault)\b|(Error|Exception)\b`)
)

// folds are replaced in this order: what a later one would take apart comes first.
var folds = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d|UTC))?)?`), "<time>"},
	{regexp.MustCompile(`\b\d{4}/\d\d/\d\d( \d\d:\d\d:\d\d([.,]\d+)?)?`), "<time>"},
	{regexp.MustCompile(`\b((Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d(:\d\d)?( \d{4})?`), "<time>"},
	{regexp.MustCompile(`\b\d{1,2}:\d\d(:\d\d([.,]\d+)?)?\b`), "<time>"},
	{regexp.MustCompile(`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`), "<id>"},
	{regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`), "<url>"},
	{regexp.MustCompile(`([A-Za-z]:\\|\\\\)[^\s"':;,()<>]+`), "<path>"},
	{regexp.MustCompile(`(^|[\s"'=:,(\[` + "`" + `])(~|\.{1,2})?/[^\s"':;,()<>` + "`" + `\]]+`), "$1<path>"},
	{regexp.MustCompile(`\b0[xX][0-9a-fA-F]+\b`), "<id>"},
	{regexp.MustCompile(`\b\d*[a-fA-F]+\d[0-9a-fA-F]{6,}\b|\b\d+[a-fA-F][0-9a-fA-F]{6,}\b`), "<id>"},
	{regexp.MustCompile(`\d+([.,]\d+)*`), "<n>"},
	{regexp.MustCompile(`\s+`), " "},
}

// FingerprintOf finds what a failure has in common with others of its kind, from the end of what it wrote: of the last lines
// the last that speaks of an error, else the last; with numbers, ids, paths and times folded. Otherwise is taken when
// nothing was written.
func FingerprintOf(written, otherwise string) Fingerprint {
	text := Fold(tellingLine(written))
	if text == "" {
		text = Fold(otherwise)
	}
	sum := sha256.Sum256([]byte(text))
	return Fingerprint{hex.EncodeToString(sum[:5]), text}
}

func tellingLine(written string) string {
	written = escapes.ReplaceAllString(strings.ToValidUTF8(written, ""), "")
	lines := strings.FieldsFunc(written, func(r rune) bool { return r == '\n' || r == '\r' })
	last, seen := "", 0
	for i := len(lines) - 1; i >= 0 && seen < fingerprintLines; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" {
			continue
		}
		if seen++; errorWords.MatchString(line) {
			return line
		}
		if last == "" {
			last = line
		}
	}
	return last
}

// Fold replaces what differs from one time to the next: numbers, ids, paths and times.
func Fold(line string) string {
	if len(line) > 4*fingerprintBytes {
		line = strings.ToValidUTF8(line[:4*fingerprintBytes], "")
	}
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	for _, f := range folds {
		line = f.from.ReplaceAllString(line, f.to)
	}
	if line = strings.TrimSpace(line); len(line) > fingerprintBytes {
		line = strings.ToValidUTF8(line[:fingerprintBytes], "") + "…"
	}
	return line
}
