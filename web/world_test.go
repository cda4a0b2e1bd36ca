package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/objects/folder"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
	"github.com/rotaqueue/rota/web"
)

// patience is how long a test waits for what should happen. It is long: a machine may be busy.
const patience = 30 * time.Second

// world is a server with its pages over TCP, a node that runs what the test says, and tokens for each role.
type world struct {
	*testing.T
	url   string
	svc   *server.Server
	ctx   context.Context // an admin's
	node  *machine
	token map[rota.Role]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "rota.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	svc := server.New(store, server.Options{Node: "alpha", TrustSubmitters: true, Objects: objects, SecretKey: []byte(strings.Repeat("k", 32))})
	var described *api.Server
	pages := web.New(svc, web.Options{Authenticate: svc.Authenticate, Log: slog.New(slog.DiscardHandler),
		Describe: func() ([]byte, error) { return described.Describe() }})
	described = api.New(svc, api.Options{Authenticate: svc.Authenticate, Pages: pages, Log: slog.New(slog.DiscardHandler)})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- svc.Run(ctx) }()
	go func() { ended <- described.Serve(ln) }()
	t.Cleanup(func() {
		described.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		store.Close()
		objects.Close()
	})
	w := &world{T: t, url: "http://" + ln.Addr().String(), svc: svc, token: map[rota.Role]string{},
		ctx: rota.WithPrincipal(context.Background(), rota.Principal{Name: "ann", Role: rota.RoleAdmin})}
	for _, role := range rota.Roles {
		made, err := svc.CreateToken(w.ctx, rota.Token{Name: string(role[:3]), Role: role})
		w.ok(err)
		w.token[role] = made.Secret
	}
	w.node = w.machine("alpha", 4)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// shell submits a job of a shell text.
func (w *world) shell(name, text string, changes ...func(*rota.Spec)) rota.JobID {
	w.Helper()
	none := 0
	spec := rota.Spec{Name: name, Shell: text, Retry: &rota.Retry{Count: &none}}
	for _, c := range changes {
		c(&spec)
	}
	made, err := w.svc.Submit(w.ctx, rota.Submission{Spec: spec})
	w.ok(err)
	return made.Job
}

// machine is a node as the Service sees it, with no process behind.
type machine struct {
	w    *world
	id   rota.SessionID
	name string
	seq  int64
}

func (w *world) machine(name string, slots int) *machine {
	w.Helper()
	m := &machine{w: w, id: rota.SessionID("session-of-" + name), name: name}
	_, err := w.svc.OpenSession(w.ctx, rota.Opening{Session: m.id, Key: "key of " + name, Sole: true,
		Node: rota.Node{Name: name, Version: rota.Version, Platform: "linux/amd64", PID: 4711, Slots: slots, Queues: []string{"*"}, Host: name + ".example.org",
			Executors: map[string]string{"exec": "1", "shell": "1"}, State: rota.NodeUp}})
	w.ok(err)
	return m
}

// claim takes exactly so many tasks.
func (m *machine) claim(n int, ended ...rota.Finish) []rota.Assignment {
	m.w.Helper()
	var got []rota.Assignment
	for over := time.Now().Add(patience); ; {
		m.seq++
		x, err := m.w.svc.Exchange(m.w.ctx, rota.Exchange{Session: m.id, Seq: m.seq, Finished: ended, Claim: rota.Claim{Max: n - len(got)}})
		m.w.ok(err)
		if len(x.Refused) > 0 {
			m.w.Fatalf("refused: %+v", x.Refused)
		}
		if got, ended = append(got, x.Claimed...), nil; len(got) == n {
			return got
		}
		if time.Now().After(over) {
			m.w.Fatalf("%d of %d tasks were claimed", len(got), n)
		}
		_, err = m.w.svc.Await(m.w.ctx, m.id, patience) // until there may be more
		m.w.ok(err)
	}
}

// writes makes a running attempt write to its output.
func (m *machine) writes(try rota.Try, stream rota.Stream, offset int, text string) {
	m.w.Helper()
	m.w.ok(m.w.svc.KeepOutput(m.w.ctx, try, []rota.Chunk{{Stream: stream, Offset: int64(offset), Total: int64(offset + len(text)), Data: []byte(text)}}))
}

// leaves keeps a file that a running attempt left.
func (m *machine) leaves(try rota.Try, name, text string) {
	m.w.Helper()
	sum := sha256.Sum256([]byte(text))
	m.w.ok(m.w.svc.KeepArtifact(m.w.ctx, rota.Artifact{Try: try, Name: name, Size: int64(len(text)), Blob: rota.BlobID(hex.EncodeToString(sum[:]))}, strings.NewReader(text)))
}

// end is how an attempt ended.
func end(try rota.Try, code int, stdout, stderr string) rota.Finish {
	f := rota.Finish{Try: try, Outcome: rota.OutcomeSucceeded, Exit: &code, StartedAgo: rota.Duration(3 * time.Second), EndedAgo: rota.Duration(time.Millisecond)}
	f.CPUUser, f.Memory, f.MaxRSS = rota.Duration(800*time.Millisecond), 48<<20, 40<<20
	if code != 0 {
		f.Outcome, f.Reason = rota.OutcomeFailed, fmt.Sprintf("exit code %d", code)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		f.Error = lines[len(lines)-1]
	}
	for s, text := range map[rota.Stream]string{rota.Stdout: stdout, rota.Stderr: stderr} {
		if text != "" {
			f.Output = append(f.Output, rota.Chunk{Stream: s, Total: int64(len(text)), Data: []byte(text)})
		}
	}
	return f
}

// runs runs one task to its end.
func (m *machine) runs(code int, stdout, stderr string) rota.Try {
	m.w.Helper()
	a := m.claim(1)[0]
	m.claim(0, end(a.Try, code, stdout, stderr))
	return a.Try
}

// visitor is a browser without scripts.
type visitor struct {
	w *world
	*http.Client
	base string
}

// visit signs in with a role's token.
func (w *world) visit(role rota.Role) *visitor { return w.visitAt(w.url, role) }

func (w *world) visitAt(base string, role rota.Role) *visitor {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.ok(err)
	v := &visitor{w: w, Client: &http.Client{Jar: jar, Timeout: patience}, base: base}
	if role != "" {
		if code, body := v.post("/login", url.Values{"token": {w.token[role]}}); code != 200 || !strings.Contains(body, "Overview") {
			w.Fatalf("sign in as %s: %d %.300s", role, code, body)
		}
	}
	return v
}

func (v *visitor) get(path string) (int, string) {
	v.w.Helper()
	r, err := http.NewRequest("GET", v.base+path, nil)
	v.w.ok(err)
	return v.do(r)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.w.Helper()
	r, err := http.NewRequest("POST", v.base+path, strings.NewReader(form.Encode()))
	v.w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

func (v *visitor) do(r *http.Request) (int, string) {
	v.w.Helper()
	r.Header.Set("Accept", "text/html")
	answer, err := v.Do(r)
	v.w.ok(err)
	defer answer.Body.Close()
	var b strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := answer.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return answer.StatusCode, b.String()
}
