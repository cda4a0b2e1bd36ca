package server

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// size is how many there are: few in a short run, all that is promised in a soak.
func size(short, common, soak int) int {
	switch {
	case os.Getenv("ROTA_SOAK") != "":
		return soak
	case testing.Short():
		return short
	}
	return common
}

// keepSchedules makes schedules that are due at a time; the others are due much later.
func keepSchedules(t *testing.T, store rota.Store, all, due int, expr string, at time.Time) {
	t.Helper()
	var work sync.WaitGroup
	for w := range 50 {
		work.Go(func() {
			for i := w; i < all; i += 50 {
				s := rota.Schedule{Name: fmt.Sprintf("s%06d", i), Expr: expr, Zone: "Europe/Berlin", By: "kim", Next: at, Spec: rota.Spec{Argv: []string{"true"}}}
				if i >= due {
					s.Expr, s.Next = "@yearly", at.AddDate(1, 0, 0)
				}
				if err := checkSchedule(&s); err != nil {
					t.Error(err)
				}
				if _, err := store.PutSchedule(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
}

// fired are all jobs there are, once nothing is due any more.
func firedAll(t *testing.T, store rota.Store) (jobs []rota.Job) {
	t.Helper()
	for {
		due, err := store.DueSchedules(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(due.Due) == 0 {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	q := rota.JobQuery{Max: 500}
	for {
		some, err := store.Jobs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return jobs
		}
		jobs = append(jobs, some...)
		q.Before = some[len(some)-1].ID
	}
}

func eachOnce(t *testing.T, jobs []rota.Job, due int) {
	t.Helper()
	seen := map[string]int{}
	for i := range jobs {
		seen[jobs[i].Schedule]++
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("schedule %s fired %d times", name, n)
		}
	}
	if len(seen) != due {
		t.Errorf("%d schedules fired, and %d were due", len(seen), due)
	}
}

// starts takes what can be claimed until it has so many, ends it at once, and tells when each was taken.
func starts(t *testing.T, store rota.Store, n int) <-chan []time.Time {
	t.Helper()
	if _, err := store.OpenSession(t.Context(), rota.Opening{Session: "s", Key: "k", Sole: true, Node: rota.Node{Name: "n", Slots: n, State: rota.NodeUp}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan []time.Time, 1)
	go func() {
		var at []time.Time
		var ended []rota.Finish
		zero := 0
		for seq := int64(1); len(at) < n && t.Context().Err() == nil; seq++ {
			x, err := store.Exchange(t.Context(), rota.Exchange{Session: "s", Seq: seq, Finished: ended, Claim: rota.Claim{Max: 500}})
			if err != nil {
				t.Error(err)
				break
			}
			ended = nil
			for _, a := range x.Claimed {
				at = append(at, time.Now())
				ended = append(ended, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero})
			}
			if len(x.Claimed) == 0 {
				<-time.After(5 * time.Millisecond)
			}
		}
		done <- at
	}()
	return done
}

// lateness is how late moments are, in order.
func lateness(at time.Time, moments []time.Time) []time.Duration {
	late := make([]time.Duration, len(moments))
	for i := range moments {
		late[i] = moments[i].Sub(at)
	}
	slices.Sort(late)
	return late
}

// Many schedules are due in one second: each is recorded once, and starts once. How late they are recorded is told, and held to
// in a soak; how late they start, on a node whose slots are no limit, is told apart.
func TestP21ManyAreDueAtOnce(t *testing.T) {
	all, due := size(500, 5000, 100_000), size(200, 1000, 10_000)
	store := openStore(t, nil)
	at := time.Now().Add(time.Duration(all)*time.Millisecond/2 + 3*time.Second).Truncate(time.Second)
	keepSchedules(t, store, all, due, "0 0 4 1 * *", at)
	if left := time.Until(at); left < 0 {
		t.Skipf("making %d schedules took %v too long", all, -left)
	}
	serve(t, New(store, Options{}))
	<-time.After(time.Until(at))
	started := starts(t, store, due)
	jobs := firedAll(t, store)
	eachOnce(t, jobs, due)
	recorded := make([]time.Time, len(jobs))
	for i := range jobs {
		recorded[i] = jobs[i].Submitted
	}
	late, begun := lateness(at, recorded), lateness(at, <-started)
	if late[0] < 0 {
		t.Errorf("a job was fired %v early", -late[0])
	}
	if len(begun) != due {
		t.Fatalf("%d tasks were started, and %d schedules were due", len(begun), due)
	}
	p99 := late[len(late)*99/100]
	for what, d := range map[string][]time.Duration{"recorded": late, "started": begun} {
		t.Logf("%d schedules, %d due in one second, %s: late by %v (p50), %v (p99), %v (most)", all, due, what, d[len(d)/2], d[len(d)*99/100], d[len(d)-1])
	}
	if os.Getenv("ROTA_SOAK") != "" && p99 > time.Second {
		t.Errorf("p99 is %v late", p99)
	}
}

// After a day without any node what was missed starts no faster than the operator allows.
func TestP21AfterADayOfDowntime(t *testing.T) {
	const catchUp = 50
	all := size(300, 1000, 20_000)
	store := openStore(t, nil)
	keepSchedules(t, store, all, all, "0 * * * *", time.Now().Add(-24*time.Hour).Truncate(time.Hour))
	serve(t, New(store, Options{CatchUp: catchUp}))
	jobs := firedAll(t, store)
	eachOnce(t, jobs, all)
	perSecond, most := map[int64]int{}, 0
	for i := range jobs {
		start := later(jobs[i].Spec.At, jobs[i].Submitted)
		perSecond[start.Unix()]++
		most = max(most, perSecond[start.Unix()])
	}
	t.Logf("%d schedules missed a day: at most %d starts in a second, of %d that are allowed", all, most, catchUp)
	if most > catchUp+1 { // a start on the edge
		t.Errorf("%d jobs start in one second, and %d may", most, catchUp)
	}
}
