package cli

import (
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is stdout and stderr of one command. It keeps the bar, which lives on the last line of a terminal, from
// mixing with what is written meanwhile, and writes of several goroutines from mixing with each other.
type screen struct {
	mu       sync.Mutex
	out, err io.Writer
	outTerm  bool
	errTerm  bool
	colour   bool // stdout is a terminal that shows colours
	utf8     bool // texts may have more than ASCII
	bar      string
	shown    bool // the bar stands on the terminal now
	within   bool // what was last written to the terminal did not end its line
	size     func() int
}

func newScreen(out, err io.Writer) *screen {
	s := &screen{out: out, err: err, outTerm: isTerminal(out), errTerm: isTerminal(err)}
	s.colour = s.outTerm && wantsColour()
	s.utf8 = speaksUTF8(os.Getenv)
	s.size = func() int { return terminalWidth(err) }
	return s
}

// colours reports whether stderr shows colours.
func (s *screen) colours() bool { return s.errTerm && wantsColour() }

func wantsColour() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is how many letters fit on a line.
func terminalWidth(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// screenOut and screenErr are the two streams as writers.
type (
	screenOut struct{ *screen }
	screenErr struct{ *screen }
)

func (s screenOut) Write(p []byte) (int, error) { return s.write(s.out, p) }
func (s screenErr) Write(p []byte) (int, error) { return s.write(s.err, p) }

func (s *screen) write(w io.Writer, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	if len(p) > 0 && isTerminal(w) {
		s.within = p[len(p)-1] != '\n'
	}
	return w.Write(p)
}

// note writes a line to stderr, above the bar.
func (s *screen) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	s.newLine()
	_, _ = io.WriteString(s.err, strings.TrimRight(text, "\n")+"\n")
	s.paint()
}

// draw shows a bar, in place of the one before.
func (s *screen) draw(bar string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown && s.bar == bar {
		return
	}
	s.bar = bar
	s.wipe()
	s.paint()
}

// clear takes the bar away.
func (s *screen) clear() { s.draw("") }

func (s *screen) paint() {
	if s.bar == "" || !s.errTerm {
		return
	}
	s.newLine()
	_, _ = io.WriteString(s.err, s.bar)
	s.shown = true
}

// newLine leaves a line that somebody's output has begun.
func (s *screen) newLine() {
	if s.within && s.errTerm {
		_, _ = io.WriteString(s.err, "\n")
	}
	s.within = false
}

// wipe removes the bar from the terminal. It comes back with the next draw or note.
func (s *screen) wipe() {
	if !s.shown {
		return
	}
	_, _ = io.WriteString(s.err, "\r\x1b[K")
	s.shown = false
}
