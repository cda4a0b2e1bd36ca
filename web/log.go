package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"time"

	terminal "github.com/buildkite/terminal-to-html/v3"

	"github.com/rotaqueue/rota"
)

const (
	logLines  = 2_000     // that a page shows at once
	logBytes  = 256 << 10 // that are read for them
	lineBytes = 16 << 10  // of one line that are shown
)

// logQuery asks for a stretch of an output.
type logQuery struct {
	Task    rota.TaskID
	Attempt int // 0: the latest
	Stream  rota.Stream
	Tail    bool  // the last lines
	From    int64 // otherwise those from here on
	To      int64 // or those before here, if it is greater than 0
}

// logView is a stretch of an output as lines. What is still being written of the last one is shown too, and comes again
// with the next stretch, which begins where that line does.
type logView struct {
	rota.Output
	Task     rota.TaskID
	Stream   rota.Stream
	Lines    []logLine
	First    int64 // where the first line begins
	Next     int64 // where the next stretch begins
	Complete bool  // the first line is the output's first
}

// logLine is one line, or several that were written over each other.
type logLine struct {
	At   int64 // where it begins in the output: its permanent name
	N    int   // its number, where it is known; 0: not
	HTML template.HTML
	Gap  int64 // bytes before it that were not kept
	Open bool  // it has not ended
}

// logOf is a stretch of a task's output.
func (p *Pages) logOf(r *request, q logQuery) (*logView, error) {
	ask := rota.OutputQuery{Task: q.Task, Attempt: q.Attempt, Stream: q.Stream, Offset: q.From, Max: logBytes}
	switch {
	case q.Tail:
		ask.Offset = -logBytes
	case q.To > 0:
		ask.Offset = max(0, q.To-logBytes)
		ask.Max = int(q.To - ask.Offset)
	}
	out, err := p.svc.Output(r.Context(), ask, 0)
	if err != nil {
		return nil, err
	}
	if q.To > 0 {
		out.Data = out.Data[:min(int64(len(out.Data)), max(0, q.To-out.Offset))]
	}
	v := &logView{Output: out, Task: q.Task, Stream: q.Stream}
	v.cut(q)
	return v, nil
}

// cut makes lines of the output. A stretch from the end, or up to a place, begins with a whole line.
func (v *logView) cut(q logQuery) {
	data, at := v.Data, v.Offset
	v.Next = at + int64(len(data))
	backwards := q.Tail || q.To > 0
	if backwards && at > 0 && v.Cut == 0 {
		if i := bytes.IndexByte(data, '\n'); i >= 0 && i < len(data)-1 {
			data, at = data[i+1:], at+int64(i+1)
		}
	}
	blocks := blocksOf(data, at)
	if n := len(blocks); n > logLines {
		if backwards {
			blocks = blocks[n-logLines:]
		} else {
			blocks = blocks[:logLines]
			v.Next = blocks[logLines-1].end()
		}
	}
	v.First = at
	if len(blocks) > 0 {
		v.First = blocks[0].at
	}
	v.Complete = v.First == 0
	v.render(blocks, q)
	if n := len(blocks); n > 0 && blocks[n-1].open && !v.Ended {
		v.Lines[n-1].Open = true
		if len(blocks[n-1].text) < lineBytes { // a longer one is never shown whole
			v.Next = blocks[n-1].at
		}
	}
	if len(v.Lines) > 0 && v.Cut > 0 {
		v.Lines[0].Gap = v.Cut
	}
	v.Data = nil
}

// block is a line of an output, or several that the text goes back over.
type block struct {
	at    int64
	text  []byte
	lines int
	below int  // lines of it below the one that is written to next
	open  bool // without a line end
}

func (b *block) end() int64 {
	n := b.at + int64(len(b.text))
	if !b.open {
		n++
	}
	return n
}

var (
	goesUp = regexp.MustCompile(`\x1b\[(\d*)[AF]`)
	// commands are sequences that hold texts of their own: titles, links, pictures. Nothing of them is shown.
	commands = regexp.MustCompile(`\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?`)
	colours  = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// blocksOf parts a text into lines, and puts those together that later ones go back over.
func blocksOf(data []byte, at int64) (out []block) {
	for len(data) > 0 {
		b := block{at: at, text: data, lines: 1, open: true}
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			b.text, b.open = data[:i], false
		}
		at = b.end()
		data = data[min(int64(len(data)), b.end()-b.at):]
		up := 0
		for _, m := range goesUp.FindAllSubmatch(b.text, 8) {
			n, _ := strconv.Atoi(string(m[1]))
			up += max(n, 1)
		}
		out = append(out, b)
		if n := len(out); up > 0 || n > 1 && out[n-2].below > 0 {
			out = joined(out, up)
		}
	}
	return out
}

// joined puts the last line to those before it that it goes back over, or that were gone back over.
func joined(out []block, up int) []block {
	b, reach := out[len(out)-1], 0
	out = out[:len(out)-1]
	below := up
	for first := true; len(out) > 0 && b.lines < 200; first = false {
		last := out[len(out)-1]
		if first && last.below > 0 {
			below += last.below - 1
		} else if reach >= up {
			break
		}
		out = out[:len(out)-1]
		text := append(append(append(make([]byte, 0, len(last.text)+len(b.text)+1), last.text...), '\n'), b.text...)
		b = block{at: last.at, text: text, lines: last.lines + b.lines, open: b.open}
		reach += last.lines
	}
	b.below = min(below, b.lines-1)
	return append(out, b)
}

// render makes HTML of blocks. A colour that one leaves on is the next one's too.
func (v *logView) render(blocks []block, q logQuery) {
	n := 0
	if v.First == 0 {
		n = 1
	}
	var colour []byte
	for i := range blocks {
		b := &blocks[i]
		text := commands.ReplaceAll(b.text, nil)
		if len(text) > lineBytes { // what was written over goes first
			if cut := bytes.LastIndexByte(text[:len(text)-1], '\r'); cut > 0 && len(text)-cut < lineBytes {
				text = text[cut+1:]
			} else {
				text = append(append(make([]byte, 0, lineBytes+40), text[:lineBytes]...), fmt.Sprintf("\x1b[0m … (%s more on this line)", bytesText(int64(len(text)-lineBytes)))...)
			}
		}
		html := terminal.Render(append(append(make([]byte, 0, len(colour)+len(text)), colour...), text...))
		v.Lines = append(v.Lines, logLine{At: b.at, N: n, HTML: template.HTML(html)}) // of which the library promises that it is harmless, and a test that it is
		if n > 0 {
			n += b.lines
		}
		if all := colours.FindAll(text, -1); len(all) > 0 {
			colour = colourAfter(colour, all)
		}
	}
}

// colourAfter is what of colours still holds after some sequences.
func colourAfter(colour []byte, all [][]byte) []byte {
	for _, s := range all {
		if string(s) == "\x1b[m" || string(s) == "\x1b[0m" {
			colour = nil
		} else if len(colour) < 200 {
			colour = append(colour[:len(colour):len(colour)], s...)
		}
	}
	return colour
}

type logPage struct {
	Job rota.Job
	Log *logView
}

// logPage is an output alone on its page.
func (p *Pages) logPage(r *request) error {
	q, err := logQueryOf(r)
	if err != nil {
		return err
	}
	d := &logPage{}
	if d.Job, err = p.svc.Job(r.Context(), q.Task.Job()); err != nil {
		return err
	}
	if d.Log, err = p.logOf(r, q); err != nil {
		return err
	}
	r.show("log", "Log of "+q.Task.String(), d)
	return nil
}

// logPiece is a stretch of an output as a piece of a page: what came since, or what is before.
func (p *Pages) logPiece(r *request) error {
	q, err := logQueryOf(r)
	if err != nil {
		return err
	}
	v, err := p.logOf(r, q)
	if err != nil {
		return err
	}
	r.Header.Set("HX-Request-Type", "partial")
	r.show("logpiece", "", v)
	return nil
}

func logQueryOf(r *request) (q logQuery, err error) {
	if q.Task, err = rota.ParseTaskID(r.PathValue("task")); err != nil {
		return q, err
	}
	q.Attempt, q.Stream = attemptParam(r), streamParam(r)
	v := r.URL.Query()
	q.From, _ = strconv.ParseInt(v.Get("from"), 10, 64)
	q.To, _ = strconv.ParseInt(v.Get("to"), 10, 64)
	q.From, q.To = max(q.From, 0), max(q.To, 0)
	q.Tail = !v.Has("from") && !v.Has("to")
	return q, nil
}

// rawLog streams all that is kept of an output, as text that no browser takes for a page.
func (p *Pages) rawLog(r *request) error {
	q, err := logQueryOf(r)
	if err != nil {
		return err
	}
	ask := rota.OutputQuery{Task: q.Task, Attempt: q.Attempt, Stream: q.Stream, Max: logBytes}
	out, err := p.svc.Output(r.Context(), ask, 0)
	if err != nil {
		return err
	}
	ask.Attempt = out.Attempt
	h := r.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="rota-%v-%d-%s.txt"`, q.Task, out.Attempt, q.Stream))
	control := http.NewResponseController(r.w)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
		if out.Cut > 0 {
			fmt.Fprintf(r.w, "\n[%d bytes were not kept]\n", out.Cut)
		}
		if _, err := r.w.Write(out.Data); err != nil {
			return nil
		}
		ask.Offset = out.Offset + int64(len(out.Data))
		if len(out.Data) == 0 || ask.Offset >= out.Size {
			return nil
		}
		if out, err = p.svc.Output(r.Context(), ask, 0); err != nil {
			p.log.Warn("an output broke off", "task", q.Task, "err", err)
			panic(http.ErrAbortHandler) // nobody takes a part for the whole
		}
	}
}
