package server

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/store/storetest"
)

const ttl = 30 * time.Second

// watched is a store with a session of a node, in a bubble of fake time, and the servers that observe it.
type watched struct {
	*testing.T
	store *storetest.Faulty
	first *Server // runs nothing by itself
	tries []rota.Try
	stop  chan struct{} // of the renewals
	jump  atomic.Int64  // of the store's clock, away from the true time
}

// observed makes a session that runs a task for each rule and is renewed until the test says still.
func observed(t *testing.T, body func(w *watched), rules ...rota.OnStoreLoss) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{T: t, stop: make(chan struct{})}
		w.store = storetest.NewFaulty(openStore(t, func() time.Time { return time.Now().Add(time.Duration(w.jump.Load())) }))
		w.first = New(w.store, Options{})
		for _, rule := range append(rules, rota.StoreLossKill) {
			sub := plain("x")
			sub.Spec.OnStoreLoss = rule
			if _, err := w.first.Submit(admin, sub); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.first.OpenSession(admin, rota.Opening{Session: "s", Key: "k", Sole: true, TTL: rota.Duration(ttl),
			Node: rota.Node{Name: "n", Slots: 9}}); err != nil {
			t.Fatal(err)
		}
		got, err := w.first.Exchange(admin, rota.Exchange{Session: "s", Seq: 1, Claim: rota.Claim{Max: 9}})
		if err != nil || len(got.Claimed) != len(rules)+1 {
			t.Fatalf("claimed %+v, %v", got, err)
		}
		for _, a := range got.Claimed {
			w.tries = append(w.tries, a.Try)
		}
		go func() {
			tick := time.NewTicker(ttl / 3)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					w.first.Renew(admin, rota.Renewal{Session: "s", State: rota.NodeUp})
				case <-w.stop:
					return
				}
			}
		}()
		body(w)
	})
}

// observer is a server whose clock can be set forward.
func (w *watched) observer() (asleep *atomic.Int64) {
	asleep = &atomic.Int64{}
	s := New(w.store, Options{Elapsed: func() rota.Elapsed { return rota.Elapsed(time.Now().UnixNano() + asleep.Load()) }})
	serve(w.T, s)
	return asleep
}

// still ends the renewals, just after one.
func (w *watched) still() {
	w.Helper()
	if r, err := w.first.Renew(admin, rota.Renewal{Session: "s", State: rota.NodeUp}); err != nil {
		w.Fatalf("renew: %+v, %v", r, err)
	}
	close(w.stop)
}

func (w *watched) lost() bool {
	w.Helper()
	nodes, err := w.first.Nodes(admin)
	if err != nil || len(nodes) != 1 {
		w.Fatalf("nodes %+v, %v", nodes, err)
	}
	return nodes[0].State == rota.NodeLost
}

// want lets time pass, and says whether the session is to be lost then.
func (w *watched) want(what string, after time.Duration, lost bool) {
	w.Helper()
	pass(after)
	synctest.Wait()
	if w.lost() != lost {
		w.Errorf("%s: lost is %v, want %v", what, !lost, lost)
	}
}

func TestP1ASessionIsLostWhenItStoodStillForAWholeTTL(t *testing.T) {
	observed(t, func(w *watched) {
		w.observer()
		w.want("while it is renewed", 10*time.Minute, false)
		w.still()
		w.want("before its TTL is over", ttl-time.Second, false)
		if task := w.task(0); task.State != rota.Running {
			t.Errorf("%+v", task)
		}
		w.want("after it", observeEvery+2*time.Second, true)
		if task := w.task(0); task.State != rota.Ready || task.Lost != 1 {
			t.Errorf("what it ran: %+v", task)
		}
	})
}

// The store's clock jumps by an hour, to both sides: nothing of that enters into leases.
func TestP1AClockThatJumpsLosesNoSession(t *testing.T) {
	observed(t, func(w *watched) {
		w.observer()
		for _, by := range []time.Duration{time.Hour, -time.Hour, 0, -time.Hour, time.Hour} {
			w.jump.Store(int64(by))
			w.want(fmt.Sprint("renewed, with the clock off by ", by), 2*ttl, false)
		}
		w.still()
		w.jump.Store(int64(-time.Hour))
		w.want("not renewed, at an earlier time", ttl/2, false)
		w.jump.Store(int64(time.Hour))
		w.want("not renewed, at a later time", ttl/2-time.Second, false)
		w.want("a TTL later", observeEvery+2*time.Second, true)
	})
}

func (w *watched) task(i int) rota.Task {
	w.Helper()
	task, _, err := w.first.Task(admin, w.tries[i].Task)
	if err != nil {
		w.Fatal(err)
	}
	return task
}

func TestP1AnObserverThatStoodStillBeginsAnew(t *testing.T) {
	for _, slept := range []time.Duration{ttl/3 + time.Second, ttl, time.Hour} {
		t.Run(fmt.Sprint(slept), func(t *testing.T) {
			observed(t, func(w *watched) {
				asleep := w.observer()
				w.still()
				w.want("nearly over", ttl-5*time.Second, false)
				asleep.Add(int64(slept)) // the process was stopped, or the machine slept
				w.want("after the sleep", ttl-time.Second, false)
				w.want("a TTL later", observeEvery+2*time.Second, true)
			})
		})
	}
	t.Run("a short while", func(t *testing.T) {
		observed(t, func(w *watched) {
			asleep := w.observer()
			w.still()
			pass(ttl / 2)
			asleep.Add(int64(ttl / 6))
			w.want("the time asleep counts", ttl/3+observeEvery, true)
		})
	})
}

func TestP1AStoreThatDoesNotAnswerBeginsTheObservationAnew(t *testing.T) {
	for _, method := range []string{"Sessions", "LoseSession"} {
		t.Run(method, func(t *testing.T) {
			observed(t, func(w *watched) {
				w.observer()
				w.still()
				pass(ttl / 2)
				w.store.Plan(func(c storetest.Call) storetest.Fault {
					if c.Method == method {
						return storetest.Fail
					}
					return storetest.None
				})
				pass(ttl)
				w.store.Plan(nil)
				if method == "LoseSession" {
					w.want("soon", ttl/2-2*time.Second, false) // it failed half a TTL ago
				} else {
					w.want("soon", ttl-3*time.Second, false)
				}
				w.want("a TTL after the answer", ttl, true)
			})
		})
	}
}

func TestP3ALossWhoseReplyIsLostIsALoss(t *testing.T) {
	observed(t, func(w *watched) {
		w.observer()
		w.still()
		w.store.Plan(storetest.DropNth("LoseSession", 1))
		w.want("lost, and nobody knows", ttl+observeEvery+time.Second, true)
		w.want("rescued all the same", 10*time.Second, true)
		if task := w.task(0); task.State != rota.Ready {
			t.Errorf("%+v", task)
		}
	})
}

// Two that observe at once go each by what it has seen itself; one that stands still hinders nobody.
func TestP1TwoObserversAtOnce(t *testing.T) {
	observed(t, func(w *watched) {
		first := w.observer()
		w.still()
		pass(ttl - 5*time.Second)
		w.observer() // has seen nothing yet
		first.Add(int64(time.Hour))
		w.want("neither has seen a whole TTL", ttl-time.Second, false)
		w.want("both have", observeEvery+2*time.Second, true)
		if n := w.store.Calls("LoseSession"); n == 0 || n > 2 {
			t.Errorf("it was lost by %d calls", n)
		}
		if task := w.task(0); task.State != rota.Ready || task.Lost != 1 {
			t.Errorf("%+v", task)
		}
	})
	observed(t, func(w *watched) {
		w.observer()
		second := w.observer()
		w.still()
		pass(ttl / 2)
		second.Add(int64(time.Hour))
		w.want("the other saw it all", ttl/2+observeEvery+time.Second, true)
	})
}

func TestP8RescueWaitsAsLongAsATaskTolerates(t *testing.T) {
	observed(t, func(w *watched) {
		asleep := w.observer()
		w.still()
		states := func(what string, want ...rota.State) {
			t.Helper()
			synctest.Wait()
			for i := range want {
				if task := w.task(i); task.State != want[i] {
					t.Errorf("%s: task %d is %v, want %v", what, i, task.State, want[i])
				}
			}
		}
		w.want("lost", ttl+observeEvery+time.Second, true)
		states("what tolerates nothing", rota.Running, rota.Running, rota.Ready)
		pass(5*time.Minute - 2*observeEvery)
		states("before 5 minutes more", rota.Running, rota.Running, rota.Ready)
		asleep.Add(int64(time.Minute))
		pass(time.Minute)
		states("after a sleep", rota.Running, rota.Running, rota.Ready)
		pass(5 * time.Minute)
		states("5 minutes after that", rota.Ready, rota.Running, rota.Ready)
		pass(time.Hour)
		states("for ever", rota.Ready, rota.Running, rota.Ready)
	}, "5m", rota.StoreLossRun)
}

func TestP1ASessionWithoutATTLIsNotLostByTime(t *testing.T) {
	var o observer
	long := rota.Duration(1<<63 - 1)
	all := []rota.Session{{ID: "no TTL", State: rota.SessionOpen}, {ID: "for ever", State: rota.SessionLost, TTL: 1, Next: -1},
		{ID: "beyond all reckoning", State: rota.SessionLost, TTL: rota.Duration(ttl), Next: long}}
	for now := rota.Elapsed(1); now < 1<<62; now *= 3 {
		if losses, next := o.look(all, now); len(losses) > 0 || next != observeEvery {
			t.Fatalf("at %d: %+v, next in %v", now, losses, next)
		}
	}
}
