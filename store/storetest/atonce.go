package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// limitsAtOnce has eight nodes, each at a store of its own, run what is limited in all ways, and a witness count.
func limitsAtOnce(t *testing.T, open Opener) {
	c := newCluster(t, open, 8)
	runLimited(t, &world{Store: c.stores[0], clock: c.clock, ctx: c.ctx}, c.stores)
}

// limitsOfOneStore does the same with eight nodes at one store.
func limitsOfOneStore(t *testing.T, w *world) {
	runLimited(t, w, []rota.Store{w, w, w, w, w, w, w, w})
}

// The limits of the queues, and what the witness holds them to.
var limitsAtWork = map[string]int{"queue running": 5, "flow flows/ann": 2, "flow flows/ben": 2, "key k": 3}

const (
	startsASecond = 40
	sharedTasks   = 400 // of each of those who share
	inHands       = 16.0
)

func runLimited(t *testing.T, w *world, stores []rota.Store) {
	n := sharedTasks
	if testing.Short() {
		n /= 4
	}
	weights := map[string]float64{"one": 1, "two": 2, "four": 4}
	w.set(t, "running", rota.QueueChange{Running: ptr(5)})
	w.set(t, "flows", rota.QueueChange{Flow: ptr(rota.FlowUser), FlowRunning: ptr(2)})
	w.set(t, "paced", rota.QueueChange{Starts: ptr(float64(startsASecond))})
	w.set(t, "q", rota.QueueChange{Discipline: ptr("sfq"), Flow: ptr(rota.FlowUser), Weights: weights})
	many := fmt.Sprint("1-", n/4)
	w.submit(t, job(queue("running"), array(many)), job(queue("flows"), by("ann"), array(many)), job(queue("flows"), by("ben"), array(many)),
		job(queue("keyed"), array(many), limitKey("k", 3)), job(queue("running"), array(many), limitKey("k", 3)), job(queue("paced"), array(many)))
	for _, who := range []string{"one", "two", "four"} {
		w.submit(t, job(queue("q"), by(who), array(fmt.Sprint("1-", n))))
	}
	x := &witness{now: map[string]int{}, most: map[string]int{}, shares: starts{}, until: n * 7 / 4, clock: w.clock}
	var work sync.WaitGroup
	for i, s := range stores {
		work.Go(func() { x.play(w.ctx, s, fmt.Sprint("node", i), rand.New(rand.NewPCG(uint64(i), 3))) })
	}
	work.Wait()
	x.judge(t, weights)
	var claimed []time.Time
	for _, task := range w.all(t, rota.Filter{}) {
		if task.State != rota.Succeeded {
			t.Errorf("I1: task %v of %s is %v at the end", task.ID, task.Queue, task.State)
		}
		if task.Queue == "paced" {
			claimed = append(claimed, task.Claimed)
		}
	}
	checkPace(t, claimed)
	w.verify(t)
}

// checkPace: no second has more starts than it may.
func checkPace(t *testing.T, claimed []time.Time) {
	slices.SortFunc(claimed, time.Time.Compare)
	for i, from := 0, 0; i < len(claimed); i++ {
		for claimed[i].Sub(claimed[from]) >= time.Second {
			from++
		}
		if n := i - from + 1; n > startsASecond {
			t.Errorf("D14: %d starts in the second before %v, and %d is the limit", n, claimed[i], startsASecond)
			return
		}
	}
}

// witness stands outside: it sees a task from after its claim is answered until before its end is told.
type witness struct {
	clock *Clock

	mu     sync.Mutex
	now    map[string]int
	most   map[string]int
	shares starts // of the first until starts of the shared queue
	until  int
	wrong  []string
}

func (x *witness) groups(a *rota.Assignment) []string {
	return []string{"queue " + a.Queue, "flow " + a.Queue + "/" + a.Submitter, "key " + a.Spec.LimitKey}
}

func (x *witness) sees(as []rota.Assignment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range as {
		for _, g := range x.groups(&as[i]) {
			x.now[g]++
			x.most[g] = max(x.most[g], x.now[g])
		}
		if as[i].Queue == "q" && x.until > 0 {
			x.until--
			x.shares[as[i].Submitter]++
		}
	}
}

func (x *witness) letsGo(as []rota.Assignment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range as {
		for _, g := range x.groups(&as[i]) {
			x.now[g]--
		}
	}
}

// play is a node's life: it claims, runs and finishes until nothing is left.
func (x *witness) play(ctx context.Context, s rota.Store, name string, r *rand.Rand) {
	session := rota.SessionID(name)
	_, err := s.OpenSession(ctx, rota.Opening{Session: session, Key: name, Node: rota.Node{Name: name, Version: "1", Slots: 8, State: rota.NodeUp}})
	if err != nil {
		x.blame("open session: %v", err)
		return
	}
	var has []rota.Assignment
	for seq, idle := int64(1), 0; idle < 200; seq++ {
		n := r.IntN(len(has) + 1)
		if idle > 0 {
			n = len(has)
		}
		ended := has[:n]
		has = slices.Clone(has[n:])
		x.letsGo(ended)
		e := rota.Exchange{Session: session, Seq: seq, Finished: ends(ended, rota.OutcomeSucceeded), Claim: rota.Claim{Max: 1 + r.IntN(6)}}
		got, err := s.Exchange(ctx, e)
		if err != nil || len(got.Refused) > 0 {
			x.blame("exchange: %v %v", got.Refused, err)
			return
		}
		x.sees(got.Claimed)
		has = append(has, got.Claimed...)
		if idle++; len(got.Claimed) > 0 {
			idle = 0
		}
		if got.Again > 0 {
			x.clock.Advance(time.Duration(1+r.IntN(2000)) * time.Microsecond)
			idle = 0
		}
	}
}

func (x *witness) blame(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wrong = append(x.wrong, fmt.Sprintf(format, args...))
}

// judge: no limit was exceeded, each was reached, and the shares are those of the weights within 5 %.
func (x *witness) judge(t *testing.T, weights map[string]float64) {
	for _, text := range x.wrong {
		t.Error(text)
	}
	for g, limit := range limitsAtWork {
		if x.most[g] > limit {
			t.Errorf("D14 P16: of %s %d ran at once, and %d is the limit", g, x.most[g], limit)
		}
		if x.most[g] < limit {
			t.Errorf("of %s only %d ran at once: nothing was shown", g, x.most[g])
		}
	}
	sum, total := 0.0, 0
	for who, weight := range weights {
		sum += weight
		total += x.shares[who]
	}
	for who, weight := range weights {
		want := float64(total) * weight / sum
		// The witness hears of claims a little later than they are made: of some that eight nodes have in their hands.
		if d := float64(x.shares[who]) - want; d > max(0.05*want, inHands) || d < -max(0.05*want, inHands) {
			t.Errorf("D8: of %d starts %s had %d, and %.1f is its share", total, who, x.shares[who], want)
		}
	}
}
