package api

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/rotaqueue/rota"
)

// checkCommand refuses a text that no shell could read: it is empty, or ends within quotes, a substitution or a backslash.
func checkCommand(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return rota.Invalid("executable: is empty")
	case len(text) > rota.MaxText:
		return rota.Errorf(rota.ErrTooLarge, "executable: %d bytes, and %d are the most", len(text), rota.MaxText)
	case strings.ContainsRune(text, 0):
		return rota.Invalid("executable: cannot contain a NUL byte")
	}
	if open := openAtEnd(text); open != "" {
		return rota.Invalid("executable %q: the text ends within %s", text, open)
	}
	return nil
}

// openAtEnd says what a shell would still wait for the end of; empty: nothing. It knows quotes, parentheses and backslashes;
// the rest is the shell's to judge.
func openAtEnd(text string) string {
	var open []byte // quotes and parentheses that are open
	top := func() byte {
		if len(open) == 0 {
			return 0
		}
		return open[len(open)-1]
	}
	pop := func() { open = open[:len(open)-1] }
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case top() == '\'':
			if c == '\'' {
				pop()
			}
		case c == '\\':
			if i++; i == len(text) {
				return "an escape: nothing follows the backslash"
			}
		case c == '"' && top() == '"', c == '`' && top() == '`', c == ')' && top() == '(':
			pop()
		case c == '"', c == '`':
			open = append(open, c)
		case c == '\'' && top() != '"':
			open = append(open, c)
		case c == '(' && (top() != '"' || i > 0 && text[i-1] == '$'):
			open = append(open, c)
		case c == '#' && top() != '"' && (i == 0 || strings.IndexByte(" \t\n;", text[i-1]) >= 0):
			if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
				i += end
			} else {
				i = len(text)
			}
		}
	}
	return map[byte]string{'\'': "single quotes", '"': "double quotes", '`': "backquotes", '(': "parentheses"}[top()]
}

// decodeProgram decodes a script or binary and refuses what could not be run: it is empty, larger than the limit, not BASE64,
// or begins neither with #! nor as a program does. A script has a line that says what reads it.
func decodeProgram(text, kind string) ([]byte, error) {
	if base64.StdEncoding.DecodedLen(len(text)) > rota.MaxProgram+4 {
		return nil, rota.Errorf(rota.ErrTooLarge, "executable: more than %d bytes", rota.MaxProgram)
	}
	program, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return nil, rota.Invalid("executable: a %s comes as BASE64, and this is none: %v", kind, err)
	case len(program) > rota.MaxProgram:
		return nil, rota.Errorf(rota.ErrTooLarge, "executable: more than %d bytes", rota.MaxProgram)
	case kind == cronjobScript && len(program) > 0 && !bytes.HasPrefix(program, []byte("#!")):
		return nil, rota.Invalid("executable: a script begins with a line that says what reads it").WithFix("begin it with a line such as #!/bin/sh")
	}
	return program, rota.CheckExecutable(program)
}
