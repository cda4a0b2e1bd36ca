package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// BenchmarkPages is what a page costs the server with many tasks: ROTA_BENCH_TASKS of them, 1,000,000 with the benchmark
// that the docs tell of. For each page it prints the median and the slowest of some requests.
//
//	ROTA_BENCH_TASKS=1000000 go test ./web -run '^$' -bench Pages -benchtime 1x
func BenchmarkPages(b *testing.B) {
	tasks, _ := strconv.Atoi(os.Getenv("ROTA_BENCH_TASKS"))
	if tasks == 0 {
		tasks = 20_000
	}
	ctx := rota.WithPrincipal(context.Background(), rota.Principal{Name: "ann", Role: rota.RoleAdmin})
	store, err := sqlstore.Open(ctx, filepath.Join(b.TempDir(), "rota.db"), sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	svc := server.New(store, server.Options{Node: "alpha"})
	running, stop := context.WithCancel(ctx)
	defer stop()
	go svc.Run(running)
	fillStore(b, ctx, svc, tasks)
	pages := New(svc, Options{Authenticate: func(context.Context, string) (rota.Principal, error) {
		return rota.Principal{Name: "ann", Role: rota.RoleAdmin}, nil
	}})
	for b.Loop() {
		for _, path := range []string{"/", "/jobs", "/jobs?q=state:failed", "/jobs?q=state:running", "/jobs?q=nothing-like-this", "/jobs?q=queue:gpu", "/jobs?sort=name",
			"/jobs?before=1000", "/jobs/1", "/jobs/1?state=failed", "/jobs/1?state=succeeded", "/jobs/100", "/failed", "/failed?by=name", "/failed?by=node", "/queues",
			"/queues/default", "/cron", "/nodes", "/nodes/alpha", "/stats", "/stats?last=7d", "/workflows", "/settings"} {
			var took []time.Duration
			for range 7 {
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
				r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "x"})
				begun := time.Now()
				pages.ServeHTTP(w, r)
				took = append(took, time.Since(begun))
				if w.Code != 200 {
					b.Fatalf("%s: %d %.300s", path, w.Code, w.Body)
				}
			}
			slices.Sort(took)
			fmt.Printf("%-28s median %7.1f ms  slowest %7.1f ms\n", path, ms(took[len(took)/2]), ms(took[len(took)-1]))
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// fillStore makes half of the tasks elements of one job and half jobs of their own, of which some have ended and some
// failed.
func fillStore(b *testing.B, ctx context.Context, svc *server.Server, tasks int) {
	b.Helper()
	check := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	none := 0
	spec := rota.Spec{Name: "array", Argv: []string{"true"}, Retry: &rota.Retry{Count: &none}, Array: &rota.Array{Ranges: []rota.Range{{First: 1, Last: tasks / 2}}}}
	_, err := svc.Submit(ctx, rota.Submission{Spec: spec})
	check(err)
	work := make(chan int, 256)
	done := make(chan error, 32)
	for range 32 {
		go func() {
			var failed error
			for i := range work {
				s := rota.Spec{Name: fmt.Sprintf("job-%d", i), Argv: []string{"true"}, Retry: &rota.Retry{Count: &none}, Labels: map[string]string{"n": strconv.Itoa(i % 10)}}
				if i%50 == 0 {
					s.Queue = "gpu"
				}
				made, err := svc.Submit(ctx, rota.Submission{Spec: s})
				if err == nil && i%100 == 0 { // a pair of jobs
					s.Name, s.After = s.Name+"-next", []rota.Dependency{{Job: made.Job, When: rota.AfterAny}}
					_, err = svc.Submit(ctx, rota.Submission{Spec: s})
				}
				if err != nil {
					failed = err
				}
			}
			done <- failed
		}()
	}
	for i := range tasks / 2 {
		work <- i
	}
	close(work)
	for range 32 {
		check(<-done)
	}
	_, err = svc.OpenSession(ctx, rota.Opening{Session: "s", Key: "k", Sole: true, Node: rota.Node{Name: "alpha", Slots: 1000, Queues: []string{"*"}, State: rota.NodeUp}})
	check(err)
	var ends []rota.Finish
	for seq, n := int64(1), 0; n < tasks/2; seq++ {
		x, err := svc.Exchange(ctx, rota.Exchange{Session: "s", Seq: seq, Finished: ends, Claim: rota.Claim{Max: 1000}})
		check(err)
		ends = ends[:0]
		for i, a := range x.Claimed {
			f := rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &none, StartedAgo: rota.Duration(time.Second), EndedAgo: 1}
			if i%14 == 0 {
				one := 1
				f.Outcome, f.Exit, f.Reason, f.Error = rota.OutcomeFailed, &one, "exit code 1", fmt.Sprintf("no user %d of %d", i, i%3)
			}
			ends = append(ends, f)
		}
		if n += len(x.Claimed); len(x.Claimed) == 0 {
			_, err := svc.Await(ctx, "s", time.Minute)
			check(err)
		}
	}
}
