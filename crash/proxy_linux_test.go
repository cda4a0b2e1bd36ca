package crash_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// proxy passes bytes between clients and a node's socket, and breaks connections: before a request, within it, before
// its answer, within that.
type proxy struct {
	path, to string
	ln       net.Listener
	all      sync.WaitGroup

	mu                 sync.Mutex
	random             *rand.Rand
	open               map[net.Conn]bool
	requests, answers  int // pieces that came
	refused, swallowed int // of those, how many did not arrive, or not whole
}

func newProxy(t *testing.T, to string, random *rand.Rand) *proxy {
	dir, err := os.MkdirTemp("", "proxy") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{path: filepath.Join(dir, "s"), to: to, random: random, open: map[net.Conn]bool{}}
	if p.ln, err = net.Listen("unix", p.path); err != nil {
		t.Fatal(err)
	}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		p.ln.Close()
		p.mu.Lock()
		for c := range p.open {
			c.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
		os.RemoveAll(dir)
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		node, err := net.Dial("unix", p.to)
		if err != nil {
			client.Close()
			continue
		}
		p.hold(client, node)
		p.all.Go(func() { p.pass(client, node, p.breaksRequest) })
		p.all.Go(func() { p.pass(node, client, p.breaksAnswer) })
	}
}

func (p *proxy) hold(cs ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range cs {
		p.open[c] = true
	}
}

// pass passes what one side says to the other, until one hangs up or chance breaks it off.
func (p *proxy) pass(from, to net.Conn, breaks func(n int) (pass int, is bool)) {
	defer func() {
		from.Close()
		to.Close()
		p.mu.Lock()
		delete(p.open, from)
		p.mu.Unlock()
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			most, is := breaks(n)
			if _, err := to.Write(b[:most]); err != nil || is {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// breaksRequest decides how much of a piece of a request arrives, and whether the connection then breaks.
func (p *proxy) breaksRequest(n int) (pass int, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if p.random.Float64() >= 0.1 {
		return n, false
	}
	p.refused++
	return p.random.IntN(n), true
}

// breaksAnswer does the same for an answer; mostly nothing of it arrives.
func (p *proxy) breaksAnswer(n int) (pass int, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers++
	if p.random.Float64() >= 0.3 {
		return n, false
	}
	p.swallowed++
	if p.random.IntN(4) > 0 {
		return 0, true
	}
	return p.random.IntN(n), true
}

// figures are how many pieces were broken off.
func (p *proxy) figures() (refused, swallowed int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused == 0 || p.swallowed == 0 {
		err = errors.New("the proxy broke nothing off, so the test shows nothing")
	}
	return p.refused, p.swallowed, err
}
