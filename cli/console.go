package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// console is a terminal that shows pages and tells of each key.
type console struct {
	in     io.Reader
	out    io.Writer
	size   func() (columns, rows int)
	raw    func() (restore func(), err error) // keys come as they are pressed, and are not shown
	colour bool
}

var errNoConsole = errors.New("no terminal")

// terminal is the console that stdin and stdout are; errNoConsole: they are none.
func (a *app) terminal() (*console, error) {
	in, ok := a.in.(*os.File)
	out, too := a.screen.out.(*os.File)
	if !ok || !too || !isTerminal(in) || !isTerminal(out) || os.Getenv("TERM") == "dumb" {
		return nil, errNoConsole
	}
	return &console{in: in, out: out, colour: a.screen.colour,
		size: func() (int, int) {
			columns, rows, err := term.GetSize(int(out.Fd()))
			if err != nil || columns < 1 || rows < 1 {
				return 80, 24
			}
			return columns, rows
		},
		raw: func() (func(), error) {
			state, err := term.MakeRaw(int(in.Fd()))
			if err != nil {
				return nil, fileError("terminal", err)
			}
			return func() { _ = term.Restore(int(in.Fd()), state) }, nil
		}}, nil
}

// begin takes a page of the terminal of its own, which restore gives back.
func (c *console) begin() (restore func(), err error) {
	back, err := c.raw()
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(c.out, "\x1b[?1049h\x1b[?25l")
	return func() {
		_, _ = io.WriteString(c.out, "\x1b[?25h\x1b[?1049l") // whoever has closed the terminal does not see it
		back()
	}, err
}

// show writes a page over the one before.
func (c *console) show(lines []string, rows int) error {
	var b strings.Builder
	b.WriteString("\x1b[H")
	for i, line := range lines {
		b.WriteString(line + "\x1b[K")
		if i < min(len(lines), rows)-1 {
			b.WriteString("\r\n")
		}
	}
	b.WriteString("\x1b[J")
	_, err := io.WriteString(c.out, b.String())
	return err
}

// Keys that are no letters.
const (
	keyEscape    = "escape"
	keyEnter     = "enter"
	keyTab       = "tab"
	keyBack      = "backspace"
	keyInterrupt = "ctrl-c"
	keyUp        = "up"
	keyDown      = "down"
	keyLeft      = "left"
	keyRight     = "right"
	keyPageUp    = "page up"
	keyPageDown  = "page down"
	keyHome      = "home"
	keyEnd       = "end"
)

// sequences are what terminals send for keys.
var sequences = map[string]string{"\x1b[A": keyUp, "\x1b[B": keyDown, "\x1b[C": keyRight, "\x1b[D": keyLeft, "\x1bOA": keyUp, "\x1bOB": keyDown, "\x1bOC": keyRight,
	"\x1bOD": keyLeft, "\x1b[5~": keyPageUp, "\x1b[6~": keyPageDown, "\x1b[H": keyHome, "\x1b[F": keyEnd, "\x1b[1~": keyHome, "\x1b[4~": keyEnd, "\x1bOH": keyHome, "\x1bOF": keyEnd,
	"\r": keyEnter, "\n": keyEnter, "\t": keyTab, "\x7f": keyBack, "\x08": keyBack, "\x03": keyInterrupt, "\x04": keyInterrupt, "\x1b": keyEscape}

// keys are those that are pressed, until the input ends, or nobody wants them any more.
func (c *console) keys(ctx context.Context) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		buf := make([]byte, 256)
		for {
			n, err := c.in.Read(buf)
			for _, k := range keysOf(buf[:n]) {
				select {
				case out <- k:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// keysOf are the keys in what a terminal sent at once. A sequence that means no key here is none.
func keysOf(text []byte) (out []string) {
	for len(text) > 0 {
		n := 1
		if text[0] == 0x1b {
			n = max(escapeLen(string(text)), n)
			if len(text) > 2 && text[1] == 'O' {
				n = 3
			}
		} else if _, size := utf8.DecodeRune(text); size > 1 {
			n = size
		}
		switch k := string(text[:n]); {
		case sequences[k] != "":
			out = append(out, sequences[k])
		case text[0] >= ' ':
			out = append(out, k)
		}
		text = text[n:]
	}
	return out
}
