package node

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// outputPiece is how much of an output one answer has, when the question does not say.
const outputPiece = 256 << 10

// movingTries is how often, a millisecond apart, the file of an attempt is looked for that the keeper has: it may
// be on its way from one place to the other.
const movingTries = 20

// Output is a piece of the output of an attempt that runs here, or whose full text is still here; false when
// neither is. Attempt 0 is the latest of which the node has something. It may be asked at any time: while the file
// of an attempt that just ends moves to its last place, both places are looked at until one has it.
func (n *Node) Output(ctx context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
	t := rota.Try{Task: q.Task, Attempt: q.Attempt}
	if t.Attempt == 0 {
		t.Attempt = n.latest(q.Task, q.Stream)
	}
	text := filepath.Join(n.outputDir(), textName(t, q.Stream))
	for tries := 0; ctx.Err() == nil; tries++ {
		live := n.keeper.File(t, q.Stream)
		if live != "" {
			out, err := readOutput(live, q)
			still := n.keeper.File(t, q.Stream) == live // else the file may be another attempt's already
			if still && !errors.Is(err, os.ErrNotExist) {
				out.Attempt, out.Ended = t.Attempt, filepath.Base(live) == filepath.Base(text)
				return out, err == nil, rejected(err, live)
			}
		}
		out, err := readOutput(text, q)
		if !errors.Is(err, os.ErrNotExist) {
			out.Attempt, out.Ended = t.Attempt, true
			return out, err == nil, rejected(err, text)
		}
		if tries == movingTries || !slices.Contains(n.keeper.Held(), t) {
			return rota.Output{}, false, nil
		}
		sleep(ctx, time.Millisecond) // it starts or moves just now
	}
	return rota.Output{}, false, ctx.Err()
}

func rejected(err error, path string) error {
	if err == nil {
		return nil
	}
	return rota.Errorf(rota.ErrInternal, "read the output in %s: %v", path, err)
}

// latest is the greatest attempt of a task that the keeper holds or whose text is here; 0: none.
func (n *Node) latest(task rota.TaskID, s rota.Stream) int {
	last := 0
	for _, t := range n.keeper.Held() {
		if t.Task == task {
			last = max(last, t.Attempt)
		}
	}
	files, _ := n.texts()
	for _, f := range files {
		if f.try.Task == task && f.stream == s {
			last = max(last, f.try.Attempt)
		}
	}
	return last
}

// readOutput reads the piece that is asked for from a file.
func readOutput(path string, q rota.OutputQuery) (rota.Output, error) {
	f, err := os.Open(path)
	if err != nil {
		return rota.Output{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return rota.Output{}, err
	}
	out := rota.Output{Offset: q.Offset, Size: info.Size()}
	if out.Offset < 0 {
		out.Offset = max(0, out.Size+out.Offset)
	}
	length := q.Max
	if length <= 0 {
		length = outputPiece
	}
	length = int(max(0, min(int64(length), out.Size-out.Offset)))
	out.Data = make([]byte, length)
	got, err := f.ReadAt(out.Data, out.Offset)
	out.Data = out.Data[:got]
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out, err
}
