package crash

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rotaqueue/rota"
)

// The words of records.
const (
	Begin = "begin" // the attempt's process runs
	Child = "child" // so does a child that it leaves behind
	End   = "end"   // the process is about to exit with Exit
	Stray = "stray" // the attempt found a process, PID, that should have been dead before it began
)

// Record is a line of the witness: what a process of an attempt says of itself.
type Record struct {
	Word string
	rota.Try
	Node string
	PID  int
	Of   int // the process of the node that started it; 0: not known
	At   rota.Elapsed
	Exit int
	Out  Sum // what it wrote
	Err  Sum
	In   Sum // what it read
}

// Sum is a text in short.
type Sum struct {
	Size int
	Hash string
}

// SumOf is the sum of a text.
func SumOf(text []byte) Sum {
	h := sha256.Sum256(text)
	return Sum{len(text), hex.EncodeToString(h[:8])}
}

// layout is that of a record. The full stop tells a whole record from one that was cut short by a kill; the line end
// at the beginning keeps such a piece from spoiling the next.
const (
	layout = "\n%s %d %d %s %d %d %d %d %d %s %d %s %d %s .\n"
	fields = 15
)

// Append adds the record to a file, in one piece.
func (r Record) Append(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	for _, s := range []*Sum{&r.Out, &r.Err, &r.In} {
		if s.Hash == "" {
			*s = SumOf(nil)
		}
	}
	_, err = fmt.Fprintf(f, layout, r.Word, int64(r.Task), r.Attempt, r.Node, r.PID, r.Of, int64(r.At), r.Exit,
		r.Out.Size, r.Out.Hash, r.Err.Size, r.Err.Hash, r.In.Size, r.In.Hash)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Read reads all records of a file, in the order in which they were written, and counts those that were cut short.
func Read(path string) (all []Record, torn int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		r, whole := parse(lines.Text())
		if whole {
			all = append(all, r)
		} else if lines.Text() != "" {
			torn++
		}
	}
	return all, torn, lines.Err()
}

func parse(line string) (r Record, whole bool) {
	if strings.Count(line, " ") != fields-1 || !strings.HasSuffix(line, " .") {
		return r, false
	}
	_, err := fmt.Sscan(line, &r.Word, (*int64)(&r.Task), &r.Attempt, &r.Node, &r.PID, &r.Of, (*int64)(&r.At), &r.Exit,
		&r.Out.Size, &r.Out.Hash, &r.Err.Size, &r.Err.Hash, &r.In.Size, &r.In.Hash)
	return r, err == nil || err == io.EOF
}

func (r Record) String() string {
	return fmt.Sprintf("%s of %v by process %d of node %d at %d, exit %d, out %v", r.Word, r.Try, r.PID, r.Of, r.At, r.Exit, r.Out)
}
