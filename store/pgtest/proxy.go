package pgtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between clients and a server, and does to what they say what networks do. At puts its address into a
// database's URL. It begins by passing on everything.
type Proxy struct {
	ln net.Listener

	all     sync.WaitGroup
	judging sync.Mutex

	mu     sync.Mutex
	to     string
	fault  fault
	mended chan struct{} // closed when there is another fault, or none
	lose   func(Reply) bool
	lost   int // replies
	mute   int // pieces of what was said that were swallowed
	links  map[*link]bool
	over   bool
}

// Way is a direction, or both.
type Way int

const (
	Requests Way = 1 << iota // from clients to the server
	Replies                  // from the server to clients
	Both     = Requests | Replies
)

// fault is what is done to what is said.
type fault struct {
	delay     time.Duration // of each piece, on its way
	held      Way           // waits for a better time
	swallowed Way           // never arrives
	refuses   bool
}

// NewProxy starts one in front of an address, for as long as the test lasts.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", address(freePort(t)))
	if err != nil {
		t.Fatalf("start a proxy: %v", err)
	}
	p := &Proxy{to: to, ln: ln, mended: make(chan struct{}), links: map[*link]bool{}}
	p.all.Go(p.accept)
	t.Cleanup(p.end)
	return p
}

func (p *Proxy) end() {
	p.ln.Close()
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.Reset()
	p.all.Wait()
}

// Address is where it listens.
func (p *Proxy) Address() string { return p.ln.Addr().String() }

// Lead has new connections lead to another server.
func (p *Proxy) Lead(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// Pass ends what goes wrong. What was held arrives; connections that missed something stay mute.
func (p *Proxy) Pass() { p.become(fault{}) }

// Delay has each piece of what is said take that much longer.
func (p *Proxy) Delay(d time.Duration) { p.become(fault{delay: d}) }

// Hold has what is said wait until Pass, as it does when a network is away for a moment.
func (p *Proxy) Hold(w Way) { p.become(fault{held: w}) }

// Swallow has what is said never arrive, and neither the end of a connection: each side believes that the other is
// there. A connection on which something was said in the meantime is never heard again; others go on after Pass.
func (p *Proxy) Swallow(w Way) { p.become(fault{swallowed: w}) }

// Refuse resets all connections, and every new one.
func (p *Proxy) Refuse() {
	p.become(fault{refuses: true})
	p.Reset()
}

func (p *Proxy) become(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.mended)
	p.mended = make(chan struct{})
}

// Reset breaks all connections, so that both sides are told.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// Lose has the judge look at every reply once the server has given it whole: for true the client gets nothing of it,
// and its connection is reset. Calls of the judge take turns. Nil ends it.
func (p *Proxy) Lose(judge func(Reply) bool) {
	n := 0
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = judge
	if judge != nil {
		p.lose = func(r Reply) bool {
			n++
			r.N = n
			return judge(r)
		}
	}
}

// Lost is how many replies were lost.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Swallowed is how often something was said that never arrived.
func (p *Proxy) Swallowed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mute
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(client.(*net.TCPConn)) })
	}
}

// link is a client's connection with the one to the server that belongs to it.
type link struct {
	client, server *net.TCPConn
	once           sync.Once
	broken         chan struct{} // closed with both

	mute Way // something was swallowed; the proxy's mutex guards it
}

// end closes both in order; reset breaks them.
func (l *link) end() {
	l.once.Do(func() {
		close(l.broken)
		l.client.Close()
		l.server.Close()
	})
}

func (l *link) reset() {
	_, _ = l.client.SetLinger(0), l.server.SetLinger(0)
	l.end()
}

func (p *Proxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	to := p.to
	p.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		_ = client.SetLinger(0)
		client.Close()
		return
	}
	l := &link{client: client, server: server.(*net.TCPConn), broken: make(chan struct{})}
	if !p.take(l) {
		l.reset()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.requests(l) })
	both.Go(func() { p.answers(l) })
	both.Wait()
	l.end()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) take(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault.refuses || p.over {
		return false
	}
	p.links[l] = true
	return true
}

// Codes of what a client says before its first message.
const (
	wantsTLS    = 80877103
	wantsGSSAPI = 80877104
)

// requests passes on what the client says. The proxy could not follow what is encrypted, so it refuses that itself.
func (p *Proxy) requests(l *link) {
	first := make([]byte, 8)
	for {
		if _, err := io.ReadFull(l.client, first); err != nil {
			p.hangUp(l, Requests, l.server)
			return
		}
		code := binary.BigEndian.Uint32(first[4:])
		if code != wantsTLS && code != wantsGSSAPI {
			break
		}
		if _, err := l.client.Write([]byte{'N'}); err != nil {
			l.reset()
			return
		}
	}
	all := io.MultiReader(bytes.NewReader(first), l.client)
	p.pass(l, Requests, all, l.server, func(b []byte) ([]byte, bool) { return b, false })
	p.hangUp(l, Requests, l.server)
}

// answers passes on what the server says, but for what is lost.
func (p *Proxy) answers(l *link) {
	f := &follower{}
	p.pass(l, Replies, l.server, l.client, func(b []byte) ([]byte, bool) { return f.follow(b, p.judge()) })
	if p.may(l, Replies) {
		_, _ = l.client.Write(f.rest()) // who has gone is told nothing
	}
	p.hangUp(l, Replies, l.client)
}

func (p *Proxy) judge() func(Reply) bool {
	p.mu.Lock()
	lose := p.lose
	p.mu.Unlock()
	if lose == nil {
		return nil
	}
	return func(r Reply) bool {
		p.judging.Lock()
		defer p.judging.Unlock()
		if !lose(r) {
			return false
		}
		p.mu.Lock()
		p.lost++
		p.mu.Unlock()
		return true
	}
}

// pass passes on what one side says until it hangs up or the connection breaks.
func (p *Proxy) pass(l *link, w Way, from io.Reader, to net.Conn, look func([]byte) ([]byte, bool)) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		what, lost := look(b[:n])
		if len(what) > 0 {
			p.deliver(l, w, to, what)
		}
		switch {
		case lost:
			l.reset()
			return
		case err == io.EOF:
			return
		case err != nil:
			if p.may(l, w) {
				l.reset()
			}
			return
		}
	}
}

func (p *Proxy) deliver(l *link, w Way, to net.Conn, what []byte) {
	if p.may(l, w) {
		if _, err := to.Write(what); err != nil {
			l.reset()
		}
		return
	}
	p.mu.Lock()
	p.mute++
	p.mu.Unlock()
}

// may waits as long as what is said has to, and reports whether it arrives.
func (p *Proxy) may(l *link, w Way) bool {
	waited := false
	for {
		p.mu.Lock()
		f, mended := p.fault, p.mended
		if f.swallowed&w != 0 {
			l.mute |= w
		}
		mute := l.mute&w != 0
		p.mu.Unlock()
		switch {
		case mute:
			return false
		case f.held&w != 0:
			select {
			case <-mended:
			case <-l.broken:
				return false
			}
		case f.delay > 0 && !waited:
			waited = true
			select {
			case <-time.After(f.delay):
			case <-l.broken:
				return false
			}
		default:
			return true
		}
	}
}

// hangUp tells one side that the other has hung up, unless that is swallowed like all else: then it stays.
func (p *Proxy) hangUp(l *link, w Way, to *net.TCPConn) {
	if p.may(l, w) {
		_ = to.CloseWrite() // it may have gone too
		return
	}
	<-l.broken
}
