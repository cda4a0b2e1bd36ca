package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
)

// socketTransport sends requests over a unix socket. net/http's Transport has two goroutines for each connection and
// passes every request and answer between three; here the caller itself writes and reads, which costs a third of
// that. It knows what our own calls need and no more: HTTP/1.1, bodies of known length, kept connections.
type socketTransport struct {
	path   string
	dialer net.Dialer

	mu   sync.Mutex
	idle []*socketConn // the one used last is the last
}

// socketConn is a connection, in use by one call or idle.
type socketConn struct {
	net.Conn
	r     *bufio.Reader
	text  []byte // of the request, reused
	since time.Time
}

// RoundTrip sends a request, whose body has been read when it returns. The answer's body must be closed; the
// connection is kept if it was read to its end.
func (t *socketTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		conn, kept, err := t.conn(r.Context())
		if err != nil {
			return nil, err
		}
		// What ends the context ends whatever the connection is doing.
		release := context.AfterFunc(r.Context(), func() { conn.SetDeadline(time.Unix(1, 0)) })
		resp, stale, err := conn.exchange(r)
		if err != nil {
			release()
			conn.Close()
			if !kept || !stale {
				return nil, err
			}
			if r.Body != nil && r.GetBody == nil {
				return nil, err // its caller can read it again, perhaps
			}
			if r.GetBody != nil {
				r.Body, _ = r.GetBody() // of bytes that we hold
			}
			continue
		}
		resp.Body = &socketBody{resp.Body, conn, t, release, !resp.Close}
		return resp, nil
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (t *socketTransport) CloseIdleConnections() {
	t.mu.Lock()
	idle := t.idle
	t.idle = nil
	t.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
}

// conn is a kept connection or a new one.
func (t *socketTransport) conn(ctx context.Context) (c *socketConn, kept bool, err error) {
	if c := t.keptConn(); c != nil {
		return c, true, nil
	}
	raw, err := t.dialer.DialContext(ctx, "unix", t.path)
	if err != nil {
		return nil, false, err
	}
	return &socketConn{Conn: raw, r: bufio.NewReader(raw)}, false, nil
}

func (t *socketTransport) keptConn() *socketConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	c := t.idle[n-1]
	t.idle = t.idle[:n-1]
	if time.Since(c.since) < clientIdle {
		return c
	}
	c.Close() // and those used before it are older still
	for _, old := range t.idle {
		old.Close()
	}
	t.idle = nil
	return nil
}

func (t *socketTransport) keep(c *socketConn) {
	c.since = time.Now()
	t.mu.Lock()
	full := len(t.idle) >= idleConns
	if !full {
		t.idle = append(t.idle, c)
	}
	t.mu.Unlock()
	if full {
		c.Close()
	}
}

// exchange writes a request and reads the head of its answer. The connection is stale when it had been closed at the
// other end before, so that surely nothing of the request was taken.
func (c *socketConn) exchange(r *http.Request) (resp *http.Response, stale bool, err error) {
	if err := c.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, false, err
	}
	if err := r.Context().Err(); err != nil { // the deadline just set may have undone that of its end
		return nil, false, err
	}
	if err := c.compose(r); err != nil {
		return nil, false, err
	}
	n, unwritten := c.Write(c.text)
	if unwritten == nil && r.ContentLength > maxComposed {
		_, unwritten = io.CopyN(c.Conn, r.Body, r.ContentLength)
	}
	if n == 0 && errors.Is(unwritten, syscall.EPIPE) {
		return nil, true, unwritten
	}
	if cap(c.text) > keptBuffer {
		c.text = nil
	}
	resp, err = http.ReadResponse(c.r, r)
	switch {
	case unwritten != nil && err == nil: // it was refused before all of it was taken
		resp.Close = true
	case unwritten != nil:
		err = unwritten
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return resp, false, err
}

// maxComposed is the longest body that is written at once with the head; what is longer is passed on as it is read.
const maxComposed = rota.MaxBody + 1

// compose puts the whole request together, to be written at once.
func (c *socketConn) compose(r *http.Request) error {
	b := append(c.text[:0], r.Method...)
	b = append(b, ' ')
	b = append(b, r.URL.RequestURI()...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	for name, values := range r.Header {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n") {
				return rota.Invalid("header %s: a line end in it", name)
			}
			b = append(b, "\r\n"...)
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, v...)
		}
	}
	if r.Body != nil {
		b = append(b, "\r\nContent-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
	}
	b = append(b, "\r\n\r\n"...)
	if r.Body != nil && r.ContentLength <= maxComposed {
		start := len(b)
		b = append(b, make([]byte, r.ContentLength)...)
		if _, err := io.ReadFull(r.Body, b[start:]); err != nil {
			return err
		}
	}
	c.text = b
	return nil
}

// socketBody is an answer's body, and keeps the connection when it has been read.
type socketBody struct {
	io.ReadCloser
	conn    *socketConn
	t       *socketTransport
	release func() bool
	keep    bool
}

func (b *socketBody) Close() error {
	if b.conn == nil {
		return nil
	}
	conn := b.conn
	b.conn = nil
	// At its end a body says so again and again; anything else means that something of it is still to come.
	_, err := b.ReadCloser.Read(make([]byte, 1))
	if untouched := b.release(); untouched && b.keep && err == io.EOF {
		b.t.keep(conn)
		return nil
	}
	return conn.Close()
}
