// Package join is what a node has that has no store of its own: the servers that it knows, and a rota.NodeService that
// asks them (P29).
//
// It promises that a call is answered while one of the servers answers, and that a renewal is not held up by anything
// else: it has connections and a time of its own. What a server says is the store's word, whichever of them says it; what
// cannot be told from a server that is away is asked of the next. It touches connections, and nothing else.
package join

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

// Options say how servers are asked. All fields are needed.
type Options struct {
	Token string        // the node's
	TTL   time.Duration // of its lease
	// Learned is called, one call at a time, with the addresses that servers told of, whenever these change.
	Learned func(addresses []string)
	Log     *slog.Logger
}

// mostTold is how many servers are known that others told of. The ones told of last are kept.
const mostTold = 16

// Servers are those that a node knows. Its methods may be called at once by many.
type Servers struct {
	opts Options

	mu    sync.Mutex
	named []*server
	told  []*server     // the one told of last is the first
	front *server       // the one that answered last
	moved chan struct{} // closed when another one is in front
}

// server is one of them. Renewals have connections of their own: what hangs in another does not hold them up (P2).
type server struct {
	address  api.Address
	calls    *api.Client
	renewals *api.Client
}

// New are the servers that somebody named, and those of which others had told before. It connects to none of them.
func New(named, told []string, opts Options) (*Servers, error) {
	s := &Servers{opts: opts, moved: make(chan struct{})}
	for _, text := range named {
		srv, err := s.server(text)
		if err != nil {
			return nil, err
		}
		s.named = append(s.named, srv)
	}
	if len(s.named) == 0 {
		return nil, rota.Invalid("join: no server is named").WithFix("rota up --join https://HOST:2691 --token-file FILE")
	}
	s.front = s.named[0]
	for _, text := range told {
		if srv, err := s.server(text); err == nil && !s.knows(srv) {
			s.told = append(s.told, srv)
		}
	}
	return s, nil
}

func (s *Servers) server(text string) (srv *server, err error) {
	srv = &server{}
	if srv.address, err = api.ParseAddress(text); err != nil {
		return nil, err
	}
	if srv.calls, err = api.ConnectEach(text, s.opts.Token); err != nil {
		return nil, err
	}
	srv.renewals, err = api.ConnectEach(text, s.opts.Token)
	return srv, err
}

// Close closes the connections that are not in use.
func (s *Servers) Close() {
	for _, srv := range s.all() {
		srv.close()
	}
}

func (srv *server) close() {
	srv.calls.Close()
	srv.renewals.Close()
}

// Addresses are the servers, the one that answered last first.
func (s *Servers) Addresses() []string {
	var out []string
	for _, srv := range s.all() {
		out = append(out, srv.address.String())
	}
	return out
}

// Clients are the servers for who has a token of their own, the one that answered last first.
func (s *Servers) Clients() []*api.Client {
	var out []*api.Client
	for _, srv := range s.all() {
		out = append(out, srv.calls.WithToken(""))
	}
	return out
}

// all are the servers in the order in which they are asked.
func (s *Servers) all() []*server {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.Concat(s.named, s.told)
	rest = slices.DeleteFunc(rest, func(o *server) bool { return o == s.front })
	return append([]*server{s.front}, rest...)
}

// atFront is the server that is asked first, and a channel that is closed when that is another one.
func (s *Servers) atFront() (*server, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.front, s.moved
}

// answered puts a server in front, in the place of the one that was asked first.
func (s *Servers) answered(srv, first *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.front == srv || s.front != first {
		return
	}
	s.opts.Log.Info("another server answers", "server", srv.address.String(), "before", s.front.address.String())
	s.front = srv
	close(s.moved)
	s.moved = make(chan struct{})
}

// learn takes note of the servers that one of them tells of. What is below 127 or ::1 is there for who asked that way
// only: for others it is another machine.
func (s *Servers) learn(from *server, addresses []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := texts(s.told)
	for _, text := range slices.Backward(addresses) {
		if srv := s.toldOf(from, text); srv != nil {
			s.told = slices.Insert(s.told, 0, srv)
		}
	}
	for len(s.told) > mostTold {
		last := s.told[len(s.told)-1]
		s.told = s.told[:len(s.told)-1]
		if last == s.front { // it answers, whoever does not tell of it
			s.told[len(s.told)-1] = last
		}
	}
	if after := texts(s.told); strings.Join(sorted(after), " ") != strings.Join(sorted(before), " ") {
		s.opts.Learned(after)
	}
}

// toldOf is the server at an address that one tells of, taken out of where it stands; nil: it is of no use.
func (s *Servers) toldOf(from *server, text string) *server {
	a, err := api.ParseAddress(text)
	if err != nil || a.Loopback() && !from.address.Loopback() {
		return nil
	}
	it := &server{address: a}
	if i := slices.IndexFunc(s.told, it.is); i >= 0 {
		it = s.told[i]
		s.told = slices.Delete(s.told, i, i+1)
		return it
	}
	if s.knows(it) {
		return nil
	}
	if it, err = s.server(text); err != nil {
		return nil
	}
	return it
}

func (srv *server) is(o *server) bool { return o.address == srv.address }

func (s *Servers) knows(srv *server) bool {
	return slices.ContainsFunc(s.named, srv.is) || slices.ContainsFunc(s.told, srv.is)
}

func texts(all []*server) []string {
	out := make([]string, len(all))
	for i, srv := range all {
		out[i] = srv.address.String()
	}
	return out
}

func sorted(texts []string) []string {
	out := slices.Clone(texts)
	slices.Sort(out)
	return out
}
