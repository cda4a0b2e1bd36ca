package cron

import (
	"fmt"
	"slices"
	"strings"
)

// Line is an entry of a crontab as cron(8) would run it.
type Line struct {
	Number  int      // in the text, from 1
	Text    string   // as it stands there
	Expr    string   // empty: it could not be read
	User    string   // of a system's crontab; else empty
	Command string   // for the shell, its % replaced
	Input   string   // what followed the first %
	Env     []string // K=V, as it holds there, in the order of their first setting
	Shell   string   // of SHELL; empty: /bin/sh
	MailTo  *string  // of MAILTO; nil: not said
	Zone    string   // of CRON_TZ or TZ; empty: not said
	Wrong   string   // why it cannot be run by a schedule
}

// ReadTab reads a crontab (or, with system, one like /etc/crontab, whose entries name a user). What it cannot read it
// tells of in the entry, and goes on.
func ReadTab(text string, system bool) []Line {
	var lines []Line
	var env []string
	number := 0
	for raw := range strings.Lines(text) {
		number++
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' {
			continue
		}
		if name, value, is := readSetting(line); is {
			env = slices.DeleteFunc(slices.Clone(env), func(e string) bool { return strings.HasPrefix(e, name+"=") })
			env = append(env, name+"="+value)
			continue
		}
		l := Line{Number: number, Text: line}
		l.read(strings.TrimLeft(strings.TrimRight(raw, "\r\n"), " \t"), system)
		l.surround(env)
		lines = append(lines, l)
	}
	return lines
}

// readSetting reads NAME = VALUE, where both may be quoted.
func readSetting(line string) (name, value string, is bool) {
	name, value, is = strings.Cut(line, "=")
	name = unquoted(strings.TrimSpace(name))
	if !is || name == "" || strings.ContainsAny(name, " \t*/,@\"'") || name[0] >= '0' && name[0] <= '9' {
		return "", "", false
	}
	return name, unquoted(strings.TrimSpace(value)), true
}

func unquoted(text string) string {
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		return text[1 : n-1]
	}
	return text
}

// read takes an entry apart.
func (l *Line) read(line string, system bool) {
	fields := 5
	if line[0] == '@' {
		fields = 1
	}
	expr, rest := cutWords(line, fields)
	if system {
		l.User, rest = cutWords(rest, 1)
	}
	l.Command, l.Input = splitInput(rest)
	switch {
	case strings.EqualFold(expr, "@reboot"):
		l.Wrong = "@reboot: a schedule is due at times, not when a machine starts"
		return
	case strings.TrimSpace(l.Command) == "":
		l.Wrong = "no command stands there"
		return
	}
	if _, err := Parse(expr); err != nil {
		l.Wrong = err.Error()
		return
	}
	if every := strings.ToLower(expr); fields == 1 && (strings.HasPrefix(every, "@every") || strings.HasPrefix(every, "@at") || every == "@once") {
		l.Wrong = fmt.Sprintf("%s: not a word of crontabs", expr)
		return
	}
	l.Expr = expr
}

// cutWords takes so many words off the front.
func cutWords(line string, n int) (words, rest string) {
	var taken []string
	for range n {
		line = strings.TrimLeft(line, " \t")
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		if end > 0 {
			taken = append(taken, line[:end])
		}
		line = line[end:]
	}
	return strings.Join(taken, " "), strings.TrimLeft(line, " \t")
}

// splitInput makes of each % that is not behind a backslash the end of a line; the first ends the command.
func splitInput(text string) (command, input string) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '%':
			i++
			part.WriteByte('%')
		case text[i] == '%':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	parts = append(parts, part.String())
	if len(parts) == 1 {
		return parts[0], ""
	}
	return parts[0], strings.Join(parts[1:], "\n") + "\n"
}

// surround gives an entry the settings that stand before it.
func (l *Line) surround(env []string) {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "MAILTO":
			l.MailTo = &value
		case "SHELL":
			l.Shell = value
		case "CRON_TZ", "TZ":
			l.Zone = value
			l.Env = append(l.Env, e)
		default:
			l.Env = append(l.Env, e)
		}
	}
}
