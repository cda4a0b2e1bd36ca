package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rotaqueue/rota"
)

// rawPiece is how much of an output is fetched at once while it is streamed.
const rawPiece = 256 << 10

type rawOutputRequest struct {
	Task    taskText    `path:"task"`
	Stream  rota.Stream `query:"stream" default:"stdout"`
	Attempt int         `query:"attempt" minimum:"0" doc:"default: the latest"`
}

// rawOutput binds the route that streams all that is kept of an output, as text that no browser takes for a page.
func rawOutput(s *Server, rt *route) {
	op := rt.operation(s)
	op.Responses = map[string]*huma.Response{"200": {Description: "The text; a line in brackets stands where a part was not kept",
		Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(s.huma, op, func(ctx context.Context, in *rawOutputRequest) (*huma.StreamResponse, error) {
		q := rota.OutputQuery{Task: in.Task.V, Attempt: in.Attempt, Stream: in.Stream, Max: rawPiece}
		first, err := s.svc.Output(ctx, q, 0)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { s.stream(hc, q, first) }}, nil
	})
}

// stream writes an output from its first piece on. What fails after the headers are sent breaks the connection, so
// that nobody takes a part for the whole.
func (s *Server) stream(hc huma.Context, q rota.OutputQuery, piece rota.Output) {
	q.Attempt = piece.Attempt // a later attempt is not to be mixed in
	_, w := humago.Unwrap(hc)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="rota-%v-%d-%s.txt"`, q.Task, q.Attempt, q.Stream))
	deadline := http.NewResponseController(w)
	for {
		// What cannot set a deadline (a recorder in a test) has none.
		_ = deadline.SetWriteDeadline(time.Now().Add(writeTimeout))
		if piece.Cut > 0 {
			fmt.Fprintf(w, "\n[%d bytes were not kept]\n", piece.Cut)
		}
		if _, err := w.Write(piece.Data); err != nil {
			panic(http.ErrAbortHandler)
		}
		q.Offset = piece.Offset + int64(len(piece.Data))
		if len(piece.Data) == 0 || q.Offset >= piece.Size {
			return
		}
		var err error
		if piece, err = s.svc.Output(hc.Context(), q, 0); err != nil {
			s.log.Warn("an output broke off", "task", q.Task, "attempt", q.Attempt, "err", err)
			panic(http.ErrAbortHandler)
		}
	}
}
