package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

const (
	headerTimeout = 10 * time.Second // for the headers of a request
	readTimeout   = 60 * time.Second // for all of it: rota.MaxBody at half a megabit a second
	writeTimeout  = 60 * time.Second // from the request to the end of the answer, a wait not counted
	idleTimeout   = 2 * time.Minute  // between two requests of a connection
	maxHeader     = 64 << 10         // bytes; a filter may name many jobs
)

// Options are what a Server needs beside its Service. The zero value lets in nobody but the users of the unix
// socket.
type Options struct {
	// Authenticate says whose secret it is: ErrUnauthenticated when nobody's.
	Authenticate func(ctx context.Context, secret string) (rota.Principal, error)
	// Submitters are groups of the machine whose users may submit at a unix socket.
	Submitters []string
	// Metrics answers GET /metrics.
	Metrics http.Handler
	// Hosts are the names by which clients may call the server over TCP, beside the loopback names and the address
	// that they reached. Without ports.
	Hosts []string
	// Cronjob says how the door for cron jobs is served; nil: it is not.
	Cronjob *Cronjob
	// Elsewhere says what the Service does not answer, and who does; nil: it answers everything.
	Elsewhere *Elsewhere
	// Pages answer browsers over TCP, wherever no route does; nil: nobody does.
	Pages http.Handler
	// OnClients is told how many connections are open on the unix socket whenever that changes, one call at a time
	// and in order. It must return soon.
	OnClients func(n int)
	// Log takes what is told nobody else: defects, and trouble with single connections. Default: slog.Default().
	Log *slog.Logger

	header, read time.Duration // headerTimeout and readTimeout; a test has less of them
}

// Elsewhere is where a node without a store sends those that ask it.
type Elsewhere struct {
	// Servers are those that have all else, the one to be asked first at the front. Who has a token goes there with it.
	Servers func() []*Client
	// Here are the names of the routes that the Service answers to who has none. To others they get Why.
	Here []string
	Why  func() error
}

// Server serves a rota.Service over HTTP.
type Server struct {
	svc    rota.Service
	opts   Options
	log    *slog.Logger
	huma   huma.API
	doors  *doors
	asJSON description
	asYAML description

	http     *http.Server
	stopping context.Context // ends when Shutdown begins
	stop     context.CancelFunc

	counting sync.Mutex // orders OnClients
	clients  atomic.Int64
}

// New makes a server. It listens nowhere yet.
func New(svc rota.Service, opts Options) *Server {
	table := routes
	if opts.Cronjob != nil && opts.Cronjob.Beside {
		table = slices.Concat(routes, cronjobRoutes)
	}
	return newServer(svc, opts, table)
}

// NewCronjob makes a server that is nothing but the door for cron jobs.
func NewCronjob(svc rota.Service, opts Options) *Server { return newServer(svc, opts, cronjobRoutes) }

func newServer(svc rota.Service, opts Options, table []route) *Server {
	opts.header, opts.read = cmp.Or(opts.header, headerTimeout), cmp.Or(opts.read, readTimeout)
	s := &Server{svc: svc, opts: opts, log: opts.Log}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if opts.Pages != nil {
		opts.Pages = until(s.stopping, opts.Pages)
	}
	s.doors = newDoors(opts, table)
	s.huma = newHuma(s.doors)
	for i := range table {
		table[i].bind(s, &table[i])
	}
	s.asJSON, s.asYAML = newDescriptions(s.huma)
	s.http = &http.Server{
		Handler:           s.doors,
		ReadHeaderTimeout: opts.header,
		ReadTimeout:       opts.read,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ConnContext:       withPeer,
		ConnState:         s.count,
	}
	return s
}

// Handler is the server as a handler, for a mux or a test. Requests that do not come through Serve count as coming
// over the network.
func (s *Server) Handler() http.Handler { return s.doors }

// Serve answers what comes in on a listener until Shutdown or Close, then returns nil. Several may be served at
// once: the unix socket (ListenUnix) and TCP, for TLS wrapped by tls.NewListener.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Describe is the OpenAPI description as JSON.
func (s *Server) Describe() ([]byte, error) { return s.asJSON() }

// until ends the requests of a handler when ctx ends.
func until(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		within, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		h.ServeHTTP(w, r.WithContext(within))
	})
}

// Clients is how many connections are open on the unix socket.
func (s *Server) Clients() int { return int(s.clients.Load()) }

// Shutdown stops listening, ends waits, lets the other requests end and closes the connections. It returns when
// that is done or ctx is.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	return s.http.Shutdown(ctx)
}

// Close stops at once.
func (s *Server) Close() error {
	s.stop()
	return s.http.Close()
}

// count keeps the number of connections on the unix socket.
func (s *Server) count(c net.Conn, state http.ConnState) {
	if _, ok := c.(*net.UnixConn); !ok {
		return
	}
	var step int64
	switch state {
	case http.StateNew:
		step = 1
	case http.StateClosed, http.StateHijacked:
		step = -1
	default:
		return
	}
	s.counting.Lock()
	defer s.counting.Unlock()
	n := s.clients.Add(step)
	if s.opts.OnClients != nil {
		s.opts.OnClients(int(n))
	}
}
