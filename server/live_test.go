package server

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// file is the live output of one attempt, as it grows.
type file struct {
	mu   sync.Mutex
	try  rota.Try
	text string
	here bool
}

func (f *file) set(try rota.Try, text string, here bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.try, f.text, f.here = try, text, here
}

func (f *file) Output(_ context.Context, q rota.OutputQuery) (rota.Output, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.here || q.Task != f.try.Task || q.Attempt != f.try.Attempt || q.Stream != rota.Stdout {
		return rota.Output{}, false, nil
	}
	at := min(q.Offset, int64(len(f.text)))
	return rota.Output{Offset: at, Data: []byte(f.text[at:]), Size: int64(len(f.text))}, true, nil
}

func TestOutputFollowsWhatIsLive(t *testing.T) {
	live := &file{}
	s := start(t, Options{Live: live})
	job, err := s.Submit(admin, plain("x"))
	if err != nil {
		t.Fatal(err)
	}
	task := rota.PlainTask(job.Job)
	read := func(offset int64) rota.Output {
		out, err := s.Output(admin, rota.OutputQuery{Task: task, Stream: rota.Stdout, Offset: offset}, time.Minute)
		if err != nil {
			t.Errorf("output from %d: %v", offset, err)
		}
		return out
	}
	follow := func(offset int64, while func()) rota.Output {
		t.Helper()
		got := make(chan rota.Output)
		go func() { got <- read(offset) }()
		while()
		return <-got
	}
	open(t, s, "one")
	claimed, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 1}})
	if err != nil || len(claimed.Claimed) != 1 {
		t.Fatalf("claim: %+v, error %v", claimed, err)
	}
	try := claimed.Claimed[0].Try
	live.set(try, "", true)
	out := follow(0, func() { live.set(try, "hello ", true) })
	if string(out.Data) != "hello " || out.Ended || out.Attempt != 1 {
		t.Errorf("first: got %+v", out)
	}
	out = follow(6, func() { live.set(try, "hello world", true) })
	if string(out.Data) != "world" || out.Ended {
		t.Errorf("then: got %+v", out)
	}
	out = follow(11, func() {
		_, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 2, Finished: []rota.Finish{{Try: try, Outcome: rota.OutcomeSucceeded,
			Output: []rota.Chunk{{Stream: rota.Stdout, Total: 11, Data: []byte("hello world")}}}}})
		if err != nil {
			t.Error(err)
		}
	})
	if !out.Ended || out.Size != 11 || len(out.Data) != 0 {
		t.Errorf("at the end: got %+v", out)
	}
	live.set(try, "", false) // its file is gone
	if out := read(0); string(out.Data) != "hello world" || !out.Ended {
		t.Errorf("from the store: got %+v", out)
	}
}
