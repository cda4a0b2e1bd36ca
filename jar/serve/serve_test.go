package serve

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// world is a jar, and a real server whose node is up and claims nothing unless the test does.
type world struct {
	*testing.T
	jar.Jar
	ctx    context.Context
	server *server.Server
	node   rota.SessionID
	seq    int64
	texts  string
	end    chan error
	leave  context.CancelFunc
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, Jar: jar.At(filepath.Join(t.TempDir(), "jar")), texts: t.TempDir(), node: "s1"}
	w.must(w.Make())
	var stop context.CancelFunc
	w.ctx, stop = context.WithCancel(rota.WithPrincipal(context.Background(), rota.Principal{Name: "node here", Role: rota.RoleAdmin}))
	store, err := sqlstore.Open(w.ctx, filepath.Join(t.TempDir(), "rota.db"), sqlstore.Options{})
	w.must(err)
	quiet := slog.New(slog.DiscardHandler)
	w.server = server.New(store, server.Options{Log: quiet, Node: "here"})
	ended := make(chan error, 1)
	go func() { ended <- w.server.Run(w.ctx) }()
	t.Cleanup(func() { stop(); <-ended; store.Close() })
	_, err = w.server.OpenSession(w.ctx, rota.Opening{Session: w.node, Key: "key of the node", Sole: true,
		Node: rota.Node{Name: "here", Slots: 4, Queues: []string{"@here", "*"}, Executors: map[string]string{"exec": "1"}, State: rota.NodeUp}})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// serve begins to serve the jar, with so many slots free.
func (w *world) serve(free int) {
	ctx, leave := context.WithCancel(w.ctx)
	w.leave, w.end = leave, make(chan error, 1)
	set := jar.Settings{Jar: w.Jar, Node: "here", Pause: time.Millisecond}
	o := Options{Settings: set, Holder: "mark", Service: w.server, Node: "here", Slots: &Slots{Room: func(_ context.Context, coming []rota.JobID) int { return free - len(coming) }}, Log: slog.New(slog.DiscardHandler),
		Text: func(_ rota.Try, s rota.Stream) string { return filepath.Join(w.texts, string(s)) }}
	end := w.end
	go func() { end <- Run(ctx, o) }()
	w.Cleanup(leave)
}

// stop makes it leave, and waits until it has.
func (w *world) stop() {
	w.Helper()
	w.leave()
	w.must(<-w.end)
}

func (w *world) submit(text string) string {
	name, err := w.Jar.Submit(jar.Submission{Text: "#!/bin/sh\n" + text})
	w.must(err)
	return name
}

// until waits for what should happen.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	late := time.After(time.Minute)
	for tick := time.NewTicker(time.Millisecond); !is(); {
		select {
		case <-late:
			w.Fatalf("not within a minute: %s", what)
		case <-tick.C:
		}
	}
}

func (w *world) jobs() []rota.Job {
	all, err := w.server.Jobs(w.ctx, rota.JobQuery{})
	w.must(err)
	return all
}

// claim is what the node does: it takes what is ready.
func (w *world) claim(finish ...rota.Finish) []rota.Assignment {
	w.seq++
	got, err := w.server.Exchange(w.ctx, rota.Exchange{Session: w.node, Seq: w.seq, Finished: finish, Claim: rota.Claim{Max: 4, Queues: []string{"@here", "*"}}})
	w.must(err)
	return got.Claimed
}

func (w *world) status() jar.Status {
	s, err := w.Status(jar.Here("here"))
	w.must(err)
	return s
}

// TestJ13WhatHasNotStartedGoesBack: a node that leaves a jar gives back what waits, and its job in the store is cancelled.
func TestJ13WhatHasNotStartedGoesBack(t *testing.T) {
	w := newWorld(t)
	name := w.submit("true")
	w.serve(1)
	w.until("it is submitted", func() bool { return len(w.jobs()) == 1 })
	second := w.submit("true") // beyond what is free
	w.stop()
	s := w.status()
	if s.Unclaimed != 2 || s.Claimed != 0 || s.Completed != 0 {
		t.Errorf("%+v", s)
	}
	for _, n := range []string{name, second} {
		if _, err := os.Stat(filepath.Join(w.Unclaimed(), n)); err != nil {
			t.Error(err)
		}
	}
	if all := w.jobs(); len(all) != 1 || all[0].State() != rota.Cancelled {
		t.Errorf("jobs %+v", all)
	}
}

// TestJ13WhatRunsGoesOn: a node that leaves a jar keeps what runs, and its next life follows it to its end, submitting
// nothing anew.
func TestJ13WhatRunsGoesOn(t *testing.T) {
	w := newWorld(t)
	name := w.submit("true")
	w.serve(1)
	w.until("it is submitted", func() bool { return len(w.jobs()) == 1 })
	running := w.claim()
	if len(running) != 1 || running[0].Queue != "@here" {
		t.Fatalf("claimed %+v", running)
	}
	w.stop()
	if s := w.status(); s.Unclaimed != 0 || s.Claimed != 1 {
		t.Errorf("after it left: %+v", s)
	}
	w.serve(1)
	zero := 3
	w.claim(rota.Finish{Try: running[0].Try, Outcome: rota.OutcomeFailed, Exit: &zero, Reason: "exit code 3", StartedAgo: 1})
	w.until("it has ended in the jar", func() bool { return w.status().Completed == 1 })
	w.stop()
	text, err := os.ReadFile(filepath.Join(w.Completed(), "."+name+".exit"))
	if err != nil || string(text) != "3\n" {
		t.Errorf("code %q, %v", text, err)
	}
	if all := w.jobs(); len(all) != 1 {
		t.Errorf("%d jobs, want 1", len(all))
	}
	if s := w.status(); s.Claimed != 0 {
		t.Errorf("%+v", s)
	}
}

// TestJ13AClaimIsSubmittedOnce: wherever a node is killed between claim and submission, the job is submitted once.
func TestJ13AClaimIsSubmittedOnce(t *testing.T) {
	for _, at := range []string{"claimed", "key kept", "submitted"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			w.submit("true")
			life := jar.Here("here")
			life.Holder = "mark"
			worker, err := w.Register(life, "")
			w.must(err)
			c, err := worker.Claim()
			w.must(err)
			h := &hold{source: &source{Options: Options{Service: w.server, Node: "here", Settings: jar.Settings{Jar: w.Jar, Node: "here"}}, Jar: w.Jar}, claim: c}
			switch at {
			case "key kept":
				_, err = c.Key(freshKey)
			case "submitted":
				err = h.submit(w.ctx)
			}
			w.must(err)
			w.serve(1)
			w.until("it is submitted", func() bool { return len(w.jobs()) > 0 })
			got := w.claim()
			code := 0
			if len(got) != 1 {
				t.Fatalf("claimed %+v", got)
			}
			w.claim(rota.Finish{Try: got[0].Try, Outcome: rota.OutcomeSucceeded, Exit: &code, StartedAgo: 1})
			w.until("it has ended in the jar", func() bool { return w.status().Completed == 1 })
			w.stop()
			if all := w.jobs(); len(all) != 1 {
				t.Errorf("%d jobs, want 1", len(all))
			}
		})
	}
}

// TestJ13CancelledAndRemoved: what somebody cancels, or whose record he removes, ends in the jar too, and says why.
func TestJ13CancelledAndRemoved(t *testing.T) {
	w := newWorld(t)
	name := w.submit("true")
	w.serve(1)
	w.until("it is submitted", func() bool { return len(w.jobs()) == 1 })
	all := rota.Filter{Tasks: []rota.Span{rota.SpanOf(w.jobs()[0].ID)}}
	_, err := w.server.Operate(w.ctx, rota.Operation{Act: rota.ActCancel, Filter: all})
	w.must(err)
	w.until("it has ended in the jar", func() bool { return w.status().Completed == 1 })
	w.stop()
	code, err := os.ReadFile(filepath.Join(w.Completed(), "."+name+".exit"))
	if err != nil || string(code) != "125\n" {
		t.Errorf("code %q, %v", code, err)
	}
	if why, err := os.ReadFile(filepath.Join(w.Completed(), "."+name+".err")); err != nil || len(why) == 0 {
		t.Errorf("nothing says why: %v", err)
	}
}

// TestJ13TheWholeOutputIsKept: of output that the store keeps in part, the jar gets the whole while the node has it, and
// else what the store has, with a word about the rest.
func TestJ13TheWholeOutputIsKept(t *testing.T) {
	for _, whole := range []bool{true, false} {
		w := newWorld(t)
		name := w.submit("true")
		w.serve(1)
		w.until("it is submitted", func() bool { return len(w.jobs()) == 1 })
		got := w.claim()[0]
		if whole {
			w.must(os.WriteFile(filepath.Join(w.texts, "stdout"), []byte("begin middle end"), 0o600))
		}
		code := 0
		w.claim(rota.Finish{Try: got.Try, Outcome: rota.OutcomeSucceeded, Exit: &code, StartedAgo: 1, Output: []rota.Chunk{
			{Stream: rota.Stdout, Offset: 0, Total: 16, Data: []byte("begin")}, {Stream: rota.Stdout, Offset: 13, Total: 16, Data: []byte("end")}}})
		w.until("it has ended in the jar", func() bool { return w.status().Completed == 1 })
		w.stop()
		want := "begin middle end"
		if !whole {
			want = "begin\n[rota: 8 bytes were not kept]\nend"
		}
		if text, err := os.ReadFile(filepath.Join(w.Completed(), "."+name+".out")); err != nil || string(text) != want {
			t.Errorf("output %q, %v; want %q", text, err, want)
		}
	}
}
