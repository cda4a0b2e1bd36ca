package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/rotaqueue/rota"
)

// Files come and go as they are: not within JSON, and in bodies that may be larger than others.

// bytesBody describes a body of bytes as they are.
func bytesBody(max int) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Description: fmt.Sprintf("the bytes, %d at most; their number is the Content-Length", max),
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

// isBulk reports whether a request may have a body beyond rota.MaxBody.
func (rt *route) isBulk() bool {
	return rt != nil && (rt.name == "put-blob" || rt.name == "keep-artifact")
}

// bulk binds a route that takes bytes as they are: the body must say how long it is, and come at a pace.
func (s *Server) bulk(rt *route, take func(w http.ResponseWriter, r *http.Request, body io.Reader) error) {
	s.doors.HandleFunc(rt.pattern(), func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		err := error(rota.Invalid("%s: how long it is must be said beforehand (Content-Length)", rt.name))
		if r.ContentLength >= 0 {
			err = take(w, r, &paced{Reader: r.Body, control: control})
		}
		if err != nil {
			w.Header().Set("Connection", "close") // what is left of the body is not read
			s.problem(r.Context(), err).write(w)
		}
	})
}

// paceBytes is how much of a large body must come within readTimeout: who sends more slowly is cut off.
const paceBytes = 1 << 20

// paced is a body that gets more time as more of it has come.
type paced struct {
	io.Reader
	control *http.ResponseController
	left    int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.left <= 0 {
		p.left = paceBytes
		// What cannot set a deadline (a recorder in a test) has none.
		_ = p.control.SetReadDeadline(time.Now().Add(readTimeout))
		_ = p.control.SetWriteDeadline(time.Now().Add(readTimeout + writeTimeout))
	}
	n, err := p.Reader.Read(b[:min(len(b), p.left)])
	p.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		err = rota.Invalid("what was sent broke off: %v", err)
	}
	return n, err
}

// content is a route that answers with bytes as they are.
func (rt *route) content(s *Server) huma.Operation {
	op := rt.operation(s)
	op.Responses = map[string]*huma.Response{"200": {Description: "The bytes",
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	return op
}

// reads gives a piece of something from an offset on, and its whole length.
type reads func(ctx context.Context, offset int64) ([]byte, int64, error)

// streams answers with all of something, to be saved under a name.
func (s *Server) streams(ctx context.Context, name string, read reads) (*huma.StreamResponse, error) {
	first, size, err := read(ctx, 0)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { s.streamBytes(hc, name, read, first, size) }}, nil
}

// streamBytes writes from the first piece on. What fails after the headers are sent breaks the connection.
func (s *Server) streamBytes(hc huma.Context, name string, read reads, piece []byte, size int64) {
	_, w := humago.Unwrap(hc)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", attachment(name))
	deadline := http.NewResponseController(w)
	for at := int64(0); at < size; {
		// What cannot set a deadline (a recorder in a test) has none.
		_ = deadline.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := w.Write(piece); err != nil || len(piece) == 0 {
			panic(http.ErrAbortHandler)
		}
		at += int64(len(piece))
		var err error
		if piece, _, err = read(hc.Context(), at); err != nil {
			s.log.Warn("what was read broke off", "name", name, "err", err)
			panic(http.ErrAbortHandler)
		}
	}
}

// attachment is the header that has a file saved under a name, unless it is none that a header can have.
func attachment(name string) string {
	return cmp.Or(mime.FormatMediaType("attachment", map[string]string{"filename": name}), "attachment")
}
