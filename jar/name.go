package jar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
)

// longest is how long a job's name may be, in bytes, while it is claimed: what is kept beside it has a longer one, and
// file systems allow 255.
const longest = 240

// IsName reports whether a file of that name can be a job. Hidden files never are.
func IsName(name string) bool { return name != "" && name[0] != '.' }

// PriorityOf is the priority that a job's name gives it: what stands behind its last dot, if that is a whole number;
// else 0.
func PriorityOf(name string) int {
	_, ext := split(name)
	n, _ := parsePriority(ext)
	return n
}

// split parts a name before the dot in front of its priority; ext is empty when it has none.
func split(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 {
		return name, ""
	}
	if _, ok := parsePriority(name[i+1:]); !ok {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// parsePriority reads digits with or without a minus. Others write numbers in more ways, which are parts of names here.
func parsePriority(text string) (int, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil // else it is longer than any number
}

// variant is a name for a job whose own is taken: the nth, from 1 on, which is the name itself as far as it is not too
// long. The priority stays.
func variant(name string, n int) string {
	stem, ext := split(name)
	if ext != "" {
		ext = "." + ext
	}
	if n > 1 {
		ext = "~" + strconv.Itoa(n) + ext
	}
	return cutTo(stem, max(longest-len(ext), 1)) + ext
}

// cutTo cuts a text to so many bytes, at the end of a letter.
func cutTo(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 1 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// What of a job's name its submitter may choose.
const (
	maxID    = 64
	maxLogin = 32
)

// checkID refuses what cannot be a part of a job's name.
func checkID(id string) error {
	if len(id) > maxID {
		return rota.Errorf(rota.ErrTooLarge, "identifier: %d bytes, and %d is the limit", len(id), maxID)
	}
	if strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r == utf8.RuneError || !unicode.IsGraphic(r) }) {
		return rota.Invalid("identifier %q: it becomes a part of a file's name, so it has neither slashes nor control characters", id)
	}
	return nil
}

// CheckCategory refuses what cannot be a category: its jobs lie in a folder of that name.
func CheckCategory(name string) error {
	if !IsName(name) || len(name) > longest || strings.ContainsFunc(name, func(r rune) bool { return r == '/' || unicode.IsControl(r) }) {
		return rota.Invalid("category %q: it is the name of a folder, which does not begin with a dot and has neither slashes nor control characters", name)
	}
	return nil
}

// origin is where a job's name comes from: who makes it, where, and the how manieth it is there.
type origin struct {
	login, host string
	pid, n      int
}

// uniqueName is a name that no other job has or will have: by the time, the host, the process and the number in it. It
// always ends with a priority, so that no identifier is taken for one.
func uniqueName(now time.Time, o origin, id string, priority int) string {
	parts := []string{now.UTC().Format("20060102-150405.000000"), plainPart(cutTo(o.login, maxLogin))}
	if id != "" {
		parts = append(parts, plainPart(id))
	}
	parts = append(parts, fmt.Sprintf("%s-%d-%d", plainPart(cutTo(o.host, maxID)), o.pid, o.n))
	return strings.Replace(strings.Join(parts, "_"), ".", "-", 1) + "." + strconv.Itoa(priority)
}

// plainPart is a text without what would make a file's name hard to handle.
func plainPart(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || unicode.IsSpace(r) || !unicode.IsGraphic(r) {
			return '_'
		}
		return r
	}, text)
}
