package api

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// spy is a Service that notes what it is asked and answers what it is told to.
type spy struct {
	mu    sync.Mutex
	asked []any          // the arguments of the last call, without its context
	who   rota.Principal // of the last call
	calls int
	fail  error                       // if set, every call fails with it
	gives map[reflect.Type]any        // answers by their type; missing: zero
	hold  func(context.Context) error // if set, waiting calls wait in it
}

func (s *spy) note(ctx context.Context, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.asked = args
	s.who, _ = rota.PrincipalOf(ctx)
	return s.fail
}

func give[T any](s *spy) (v T) {
	v, _ = s.gives[reflect.TypeFor[T]()].(T)
	return v
}

func (s *spy) wait(ctx context.Context) error {
	if s.hold == nil {
		return nil
	}
	return s.hold(ctx)
}

func (s *spy) Submit(ctx context.Context, x rota.Submission) (rota.Submitted, error) {
	return give[rota.Submitted](s), s.note(ctx, x)
}
func (s *spy) Upload(ctx context.Context, j rota.JobID, p rota.Part) (rota.Submitted, error) {
	return give[rota.Submitted](s), s.note(ctx, j, p)
}
func (s *spy) Job(ctx context.Context, j rota.JobID) (rota.Job, error) {
	return give[rota.Job](s), s.note(ctx, j)
}
func (s *spy) Jobs(ctx context.Context, q rota.JobQuery) ([]rota.Job, error) {
	return give[[]rota.Job](s), s.note(ctx, q)
}
func (s *spy) Task(ctx context.Context, t rota.TaskID) (rota.Task, []rota.Attempt, error) {
	return give[rota.Task](s), give[[]rota.Attempt](s), s.note(ctx, t)
}
func (s *spy) Tasks(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	return give[[]rota.Task](s), s.note(ctx, q)
}
func (s *spy) Watch(ctx context.Context, j rota.JobID, seen rota.Progress, wait time.Duration) (rota.Progress, error) {
	if err := s.note(ctx, j, seen, wait); err != nil {
		return rota.Progress{}, err
	}
	return give[rota.Progress](s), s.wait(ctx)
}
func (s *spy) Output(ctx context.Context, q rota.OutputQuery, wait time.Duration) (rota.Output, error) {
	if err := s.note(ctx, q, wait); err != nil {
		return rota.Output{}, err
	}
	return give[rota.Output](s), s.wait(ctx)
}
func (s *spy) Operate(ctx context.Context, op rota.Operation) (rota.Operation, error) {
	return give[rota.Operation](s), s.note(ctx, op)
}
func (s *spy) Operation(ctx context.Context, id int64) (rota.Operation, error) {
	return give[rota.Operation](s), s.note(ctx, id)
}
func (s *spy) Status(ctx context.Context) (rota.Status, error) {
	return give[rota.Status](s), s.note(ctx)
}
func (s *spy) Queues(ctx context.Context) ([]rota.Queue, error) {
	return give[[]rota.Queue](s), s.note(ctx)
}
func (s *spy) Why(ctx context.Context, id rota.TaskID) (rota.Why, error) {
	return give[rota.Why](s), s.note(ctx, id)
}
func (s *spy) Failures(ctx context.Context, q rota.FailureQuery) ([]rota.FailureGroup, error) {
	return give[[]rota.FailureGroup](s), s.note(ctx, q)
}
func (s *spy) Usage(ctx context.Context, q rota.UsageQuery) ([]rota.UsageRow, error) {
	return give[[]rota.UsageRow](s), s.note(ctx, q)
}
func (s *spy) RenameQueue(ctx context.Context, name, to string) (rota.Queue, error) {
	return give[rota.Queue](s), s.note(ctx, name, to)
}
func (s *spy) DropQueue(ctx context.Context, name string) error { return s.note(ctx, name) }
func (s *spy) ChangeQueue(ctx context.Context, name string, c rota.QueueChange) (rota.Queue, error) {
	return give[rota.Queue](s), s.note(ctx, name, c)
}
func (s *spy) Nodes(ctx context.Context) ([]rota.Node, error) {
	return give[[]rota.Node](s), s.note(ctx)
}
func (s *spy) ChangeNode(ctx context.Context, name string, c rota.NodeChange) (rota.Node, error) {
	return give[rota.Node](s), s.note(ctx, name, c)
}
func (s *spy) DrainNode(ctx context.Context, name string) error { return s.note(ctx, name) }
func (s *spy) PauseNode(ctx context.Context, name string, paused bool) error {
	return s.note(ctx, name, paused)
}
func (s *spy) RemoveNode(ctx context.Context, name string, lost bool) error {
	return s.note(ctx, name, lost)
}
func (s *spy) Samples(ctx context.Context, t rota.TaskID, attempt int) (rota.Series, error) {
	return give[rota.Series](s), s.note(ctx, t, attempt)
}
func (s *spy) NodeSamples(ctx context.Context, node string, since time.Time) ([]rota.NodeSample, error) {
	return give[[]rota.NodeSample](s), s.note(ctx, node, since)
}
func (s *spy) Edges(ctx context.Context, q rota.EdgeQuery) ([]rota.Edge, error) {
	return give[[]rota.Edge](s), s.note(ctx, q)
}
func (s *spy) StoreSamples(ctx context.Context, since time.Time) ([]rota.StoreSample, error) {
	return give[[]rota.StoreSample](s), s.note(ctx, since)
}
func (s *spy) PutSchedule(ctx context.Context, x rota.Schedule) (rota.Schedule, error) {
	return give[rota.Schedule](s), s.note(ctx, x)
}
func (s *spy) Schedules(ctx context.Context) ([]rota.Schedule, error) {
	return give[[]rota.Schedule](s), s.note(ctx)
}
func (s *spy) Schedule(ctx context.Context, name string) (rota.ScheduleRecord, error) {
	return give[rota.ScheduleRecord](s), s.note(ctx, name)
}
func (s *spy) FireSchedule(ctx context.Context, name string) (rota.Fire, error) {
	return give[rota.Fire](s), s.note(ctx, name)
}
func (s *spy) DropSchedule(ctx context.Context, name string) error { return s.note(ctx, name) }
func (s *spy) CreateToken(ctx context.Context, t rota.Token) (rota.Token, error) {
	return give[rota.Token](s), s.note(ctx, t)
}
func (s *spy) Tokens(ctx context.Context) ([]rota.Token, error) {
	return give[[]rota.Token](s), s.note(ctx)
}
func (s *spy) PutSecret(ctx context.Context, name, value string) error {
	return s.note(ctx, name, value)
}
func (s *spy) Secrets(ctx context.Context) ([]rota.Secret, error) {
	return give[[]rota.Secret](s), s.note(ctx)
}
func (s *spy) DropSecret(ctx context.Context, name string) error { return s.note(ctx, name) }
func (s *spy) DropToken(ctx context.Context, id int64) error     { return s.note(ctx, id) }
func (s *spy) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	return give[rota.Opened](s), s.note(ctx, o)
}
func (s *spy) CloseSession(ctx context.Context, i rota.SessionID) error { return s.note(ctx, i) }
func (s *spy) Await(ctx context.Context, id rota.SessionID, wait time.Duration) (rota.News, error) {
	if err := s.note(ctx, id, wait); err != nil {
		return rota.News{}, err
	}
	return give[rota.News](s), s.wait(ctx)
}
func (s *spy) Renew(ctx context.Context, r rota.Renewal) (rota.Renewed, error) {
	return give[rota.Renewed](s), s.note(ctx, r)
}
func (s *spy) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	return give[rota.Exchanged](s), s.note(ctx, x)
}
func (s *spy) KeepOutput(ctx context.Context, t rota.Try, chunks []rota.Chunk) error {
	return s.note(ctx, t, chunks)
}
func (s *spy) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	return s.note(ctx, l, out)
}
func (s *spy) Input(ctx context.Context, j rota.JobID, offset int64, max int) ([]byte, int64, error) {
	return give[[]byte](s), give[int64](s), s.note(ctx, j, offset, max)
}

// byRole takes the name of a role for the secret of a token with that role.
func byRole(_ context.Context, secret string) (rota.Principal, error) {
	if r := rota.Role(secret); r.Rank() >= 0 || r == rota.RoleNode {
		return rota.Principal{Name: "a " + secret, Role: r}, nil
	}
	return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "token: not known")
}

// overSocket serves a Service on a unix socket and returns a client of it.
func overSocket(t testing.TB, svc rota.Service, opts Options) (*Server, *Client) {
	t.Helper()
	ln, err := ListenUnix(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, svc, opts, ln)
	c := Dial(ln.Addr().String())
	t.Cleanup(c.Close)
	return s, c
}

// overTCP serves a Service on a loopback address and returns a client of it with a token.
func overTCP(t testing.TB, svc rota.Service, opts Options, token string) (*Server, *Client) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, svc, opts, ln)
	c, err := Connect("http://"+ln.Addr().String(), token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s, c
}

func serve(t testing.TB, svc rota.Service, opts Options, ln net.Listener) *Server {
	t.Helper()
	s := New(svc, opts)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; err != nil {
			t.Error("serve:", err)
		}
	})
	return s
}

// ask sends a bare request to a server as if it came over TCP.
func ask(s *Server, method, target, token, body string) *httptest.ResponseRecorder {
	return send(s, newRequest(method, target, token, body))
}

func newRequest(method, target, token, body string) *http.Request {
	r := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func send(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func problemIn(t *testing.T, text []byte) (p problem) {
	t.Helper()
	if err := json.Unmarshal(text, &p); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return p
}

func (s *spy) PutBlob(ctx context.Context, b rota.Blob, body io.Reader) (rota.Blob, error) {
	if _, err := io.Copy(io.Discard, body); err != nil {
		return rota.Blob{}, err
	}
	return give[rota.Blob](s), s.note(ctx, b)
}
func (s *spy) Blob(ctx context.Context, id rota.BlobID) (rota.Blob, error) {
	return give[rota.Blob](s), s.note(ctx, id)
}
func (s *spy) Blobs(ctx context.Context, q rota.BlobQuery) ([]rota.Blob, error) {
	return give[[]rota.Blob](s), s.note(ctx, q)
}
func (s *spy) ReadBlob(ctx context.Context, id rota.BlobID, offset int64, max int) ([]byte, int64, error) {
	return nil, 0, s.note(ctx, id, offset, max)
}
func (s *spy) KeepArtifact(ctx context.Context, a rota.Artifact, body io.Reader) error {
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	return s.note(ctx, a)
}
func (s *spy) Artifacts(ctx context.Context, q rota.ArtifactQuery) ([]rota.Artifact, error) {
	return give[[]rota.Artifact](s), s.note(ctx, q)
}
func (s *spy) ReadArtifact(ctx context.Context, try rota.Try, name string, offset int64, max int) ([]byte, int64, error) {
	return give[[]byte](s), give[int64](s), s.note(ctx, try, name, offset, max)
}
func (s *spy) DropBlob(ctx context.Context, id rota.BlobID) error { return s.note(ctx, id) }
func (s *spy) Program(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	return give[[]byte](s), give[int64](s), s.note(ctx, job, offset, max)
}

func (s *spy) Users(ctx context.Context) ([]rota.User, error) {
	return give[[]rota.User](s), s.note(ctx)
}
func (s *spy) PutUser(ctx context.Context, name string, c rota.UserChange) (rota.User, error) {
	return give[rota.User](s), s.note(ctx, name, c)
}
func (s *spy) DropUser(ctx context.Context, name string) error { return s.note(ctx, name) }
func (s *spy) Login(ctx context.Context, name, password string) (rota.Token, error) {
	return give[rota.Token](s), s.note(ctx, name, password)
}
func (s *spy) CreateLink(ctx context.Context) (rota.Link, error) {
	return give[rota.Link](s), s.note(ctx)
}
func (s *spy) Redeem(ctx context.Context, secret string) (rota.Token, error) {
	return give[rota.Token](s), s.note(ctx, secret)
}
func (s *spy) Audit(ctx context.Context, q rota.DeedQuery) ([]rota.Deed, error) {
	return give[[]rota.Deed](s), s.note(ctx, q)
}
