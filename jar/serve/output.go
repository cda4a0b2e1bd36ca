package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/rotaqueue/rota"
)

// collect makes files of what a job wrote. An empty path means that the stream was empty.
func (h *hold) collect(ctx context.Context, t *rota.Task) (out, err string, failed error) {
	if t.Number == 0 {
		return "", "", nil
	}
	if out, failed = h.stream(ctx, t, rota.Stdout, "out"); failed == nil {
		err, failed = h.stream(ctx, t, rota.Stderr, "err")
	}
	return out, err, failed
}

// stream makes a file of one stream: of the whole text, if that is still on the node, else of what the store has.
func (h *hold) stream(ctx context.Context, t *rota.Task, s rota.Stream, kind string) (string, error) {
	path := h.claim.Part(kind)
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	n, err := h.copyWhole(to, rota.Try{Task: t.ID, Attempt: t.Number}, s)
	if errors.Is(err, fs.ErrNotExist) {
		n, err = h.copyKept(ctx, to, t, s)
	}
	if err = errors.Join(err, to.Close()); err == nil && n > 0 {
		return path, nil
	}
	return "", errors.Join(err, os.Remove(path))
}

func (h *hold) copyWhole(to io.Writer, try rota.Try, s rota.Stream) (int64, error) {
	from, err := os.Open(h.Text(try, s))
	if err != nil {
		return 0, err
	}
	defer from.Close()
	return io.Copy(to, from)
}

func (h *hold) copyKept(ctx context.Context, to io.Writer, t *rota.Task, s rota.Stream) (int64, error) {
	at := int64(0)
	for {
		o, err := h.Service.Output(ctx, rota.OutputQuery{Task: t.ID, Attempt: t.Number, Stream: s, Offset: at}, 0)
		if err != nil {
			return at, err
		}
		if o.Cut > 0 {
			if _, err := fmt.Fprintf(to, "\n[rota: %d bytes were not kept]\n", o.Cut); err != nil {
				return at, err
			}
		}
		if _, err := to.Write(o.Data); err != nil {
			return at, err
		}
		at = o.Offset + int64(len(o.Data))
		if at >= o.Size || len(o.Data) == 0 {
			return at, nil
		}
	}
}
