package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// call is one request of a Client.
type call struct {
	method, path string // the path below Prefix, escaped
	query        params
	seen         string    // ETag of what the caller has
	in           any       // the body; nil: none
	body         io.Reader // a body that is no JSON
	length       int64     // of that
	exact        bool      // the body carries a user's text, which must arrive as it is
	out          any       // where the answer goes; nil: none is expected
	again        bool      // may be sent again when the connection breaks: it reads, or names itself by a key
}

const (
	retries    = 2                     // further attempts of a call that may be sent again
	retryPause = 50 * time.Millisecond // before the first, twice that before the second
	maxAnswer  = 256 << 20             // bytes
)

// errSame is the answer that nothing changed since what the caller has seen.
var errSame = errors.New("the same as seen")

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptBuffer = 64 << 10 // larger buffers are not kept

func release(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// do sends a call and reads its answer.
func (c *Client) do(ctx context.Context, call call) error {
	var payload []byte
	if call.in != nil {
		var err error
		if payload, err = encode(call.in, call.exact); err != nil {
			return err
		}
	}
	for attempt := 0; ; attempt++ {
		if call.body != nil {
			if call.again = call.rewind(); attempt > 0 && !call.again {
				return rota.Invalid("%s %s: what is sent cannot be read again", call.method, call.path)
			}
		}
		r := c.request(ctx, &call, payload)
		resp, err := c.transport.RoundTrip(r)
		if err == nil {
			err = read(resp, &call)
		}
		if call.body != nil {
			_ = r.Body.Close()
		}
		var broken *brokenError
		answered, last := resp != nil && !errors.As(err, &broken), !call.again || attempt == retries
		switch {
		case err == nil || errors.Is(err, errSame):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s: %w", call.method, call.path, context.Cause(ctx))
		case errors.Is(err, rota.ErrInvalid):
			return err // it could not be sent, or should not have been
		case answered && (last || c.local || !errors.Is(err, rota.ErrUnavailable)):
			return err // the server's own word; where it stands behind a proxy, another may have a better one
		case !answered && (last || !mayReturn(err)):
			return c.unreachable(&call, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause << attempt):
		}
	}
}

// encode writes the body of a request. Go's encoder replaces what is not UTF-8; where exact, that is refused
// instead: a file would be named that does not exist.
func encode(v any, exact bool) ([]byte, error) {
	b := bytes.Buffer{}
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, rota.Invalid("request: %v", err)
	}
	payload := b.Bytes()
	if len(payload) > rota.MaxBody {
		return nil, bodyTooLarge()
	}
	if exact && replaced(payload) {
		return nil, rota.Invalid("request: it has text that is not UTF-8, which would not arrive as it is").
			WithFix("rename the file, or send the text as standard input or in a file")
	}
	return payload, nil
}

// replaced reports whether the encoder met bytes that are not UTF-8: it writes `\ufffd` for them, while it writes
// that character itself as it is, and a backslash of the text as two.
func replaced(payload []byte) bool {
	for {
		i := bytes.Index(payload, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		before := len(payload[:i]) - len(bytes.TrimRight(payload[:i], `\`))
		if before%2 == 0 {
			return true
		}
		payload = payload[i+1:]
	}
}

var (
	jsonContent  = []string{"application/json"}
	octetContent = []string{"application/octet-stream"}
	userAgent    = []string{"rota/" + rota.Version}
)

func (c *Client) request(ctx context.Context, call *call, payload []byte) *http.Request {
	u := c.base
	path := Prefix + call.path
	if strings.Contains(path, "%") {
		u.RawPath = u.EscapedPath() + path
		path, _ = url.PathUnescape(path) // what we escaped ourselves
	}
	u.Path += path
	u.RawQuery = call.query.Encode()
	h := make(http.Header, 4)
	h["User-Agent"] = userAgent
	if c.auth != nil {
		h["Authorization"] = c.auth
	}
	if call.seen != "" {
		h.Set("If-None-Match", call.seen)
	}
	r := &http.Request{Method: call.method, URL: &u, Header: h, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if call.in != nil {
		h["Content-Type"] = jsonContent
		r.ContentLength = int64(len(payload))
		// The transport sends it again by itself only when nothing of it had been written.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
		r.Body, _ = r.GetBody()
	}
	if call.body != nil {
		h["Content-Type"] = octetContent
		r.ContentLength = call.length
		if r.Body = io.NopCloser(call.body); call.again {
			r.Body = &sending{from: call.body}
		}
	}
	return r.WithContext(ctx)
}

// sending is the body of one attempt. Nothing of it is read once it is closed, so that the next attempt begins anew: a
// transport may go on reading for a while after it has answered.
type sending struct {
	mu     sync.Mutex
	from   io.Reader
	closed bool
}

func (s *sending) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	return s.from.Read(b)
}

func (s *sending) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// rewind goes back to the beginning of a body that can be read again, and reports whether it is one.
func (call *call) rewind() bool {
	s, ok := call.body.(io.Seeker)
	if !ok {
		return false
	}
	_, err := s.Seek(0, io.SeekStart)
	return err == nil
}

// brokenError is a connection that broke while the answer came.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

func read(resp *http.Response, call *call) error {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return errSame
	}
	b := buffers.Get().(*bytes.Buffer)
	defer release(b)
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return &brokenError{err}
	}
	if resp.StatusCode/100 != 2 {
		return readProblem(resp, b.Bytes())
	}
	if call.out == nil {
		return nil
	}
	if err := json.Unmarshal(b.Bytes(), call.out); err != nil {
		return rota.Errorf(rota.ErrInternal, "%s %s: the answer cannot be read: %v", call.method, call.path, err).
			WithFix("check that the address is a Rota server's, and of about this version (%s)", rota.Version)
	}
	return nil
}

// readProblem makes the error of it that the server had.
func readProblem(resp *http.Response, text []byte) error {
	var p problem
	if strings.HasPrefix(resp.Header.Get("Content-Type"), problemType) && json.Unmarshal(text, &p) == nil {
		if p.Status == 0 {
			p.Status = resp.StatusCode
		}
		return p.err()
	}
	kind := kindOfStatus(resp.StatusCode)
	if kind == rota.ErrUnavailable {
		return rota.Errorf(kind, "what stands before the server answered %s", resp.Status).
			WithFix("check that a node is up there, and look whether it was done before you try again")
	}
	return rota.Errorf(kind, "the server answered %s", resp.Status).
		WithFix("check that the address is a Rota server's")
}
