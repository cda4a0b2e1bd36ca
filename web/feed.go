package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// What may change, as pages name it.
const (
	topicTasks     = "tasks"     // a task moved, anywhere
	topicQueues    = "queues"    // settings of queues
	topicNodes     = "nodes"     // nodes, and what they do
	topicSchedules = "schedules" // schedules and their fires
)

var topics = []string{topicTasks, topicQueues, topicNodes, topicSchedules}

const (
	watchEvery  = time.Second     // while somebody looks
	sampleEvery = 5 * time.Second // of the charts
	keepFor     = time.Hour       // of the charts, so closely
)

// feed finds out what changes, once for all who look at this server, and tells them which kind of thing it was. It asks
// the Service, and so sees what all other servers of the store do. What it tells is worth nothing but another look.
type feed struct {
	svc     rota.Service
	now     func() time.Time
	process string // tells this process's versions from others'

	mu      sync.Mutex
	version int64
	at      map[string]int64 // by topic: the version at which it changed last
	hash    map[string]uint64
	changed chan struct{} // closed at the next change
	looking int
	stop    context.CancelFunc
	earlier []rota.StoreSample // of before the last hour, or of before this server began: about one a minute
	seeded  bool               // with what the store has of them
	history []rota.StoreSample // of the last hour
}

func newFeed(svc rota.Service, now func() time.Time) *feed {
	return &feed{svc: svc, now: now, process: rand.Text()[:8], at: map[string]int64{}, hash: map[string]uint64{}, changed: make(chan struct{})}
}

// asViewer is in whose name the feed looks.
func asViewer(ctx context.Context) context.Context {
	return rota.WithPrincipal(ctx, rota.Principal{Name: "web", Role: rota.RoleViewer})
}

// join begins to look, until leave.
func (f *feed) join() (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looking++; f.looking == 1 {
		ctx, stop := context.WithCancel(asViewer(context.Background()))
		f.stop = stop
		go f.watch(ctx, watchEvery)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.looking--; f.looking == 0 {
			f.stop()
		}
	}
}

// run samples for the charts also while nobody looks.
func (f *feed) run(ctx context.Context) { f.watch(asViewer(ctx), sampleEvery) }

func (f *feed) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		f.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks once, and raises the version of what is not as it was.
func (f *feed) look(ctx context.Context) {
	found := map[string]uint64{}
	if queues, err := f.svc.Queues(ctx); err == nil {
		if f.due() {
			f.sample(ctx, queues)
		}
		counts := make([]any, 0, 2*len(queues))
		for i := range queues {
			counts = append(counts, queues[i].Name, queues[i].Counts)
			queues[i].Counts, queues[i].Oldest = nil, nil
		}
		found[topicTasks], found[topicQueues] = hashOf(counts), hashOf(queues)
	}
	if nodes, err := f.svc.Nodes(ctx); err == nil {
		for i := range nodes {
			nodes[i].Seen = time.Time{}
			nodes[i].Skew = 0
		}
		found[topicNodes] = hashOf(nodes)
	}
	if schedules, err := f.svc.Schedules(ctx); err == nil {
		found[topicSchedules] = hashOf(schedules)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	raised := false
	for topic, h := range found {
		if old, known := f.hash[topic]; !known || old != h {
			f.hash[topic] = h
			if known {
				f.version++
				f.at[topic] = f.version
				raised = true
			}
		}
	}
	if raised {
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

func hashOf(v any) uint64 {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(v)
	return h.Sum64()
}

// due reports whether it is time for a point.
func (f *feed) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.history)
	return n == 0 || f.now().Sub(f.history[n-1].At) >= sampleEvery-watchEvery/2
}

// sample keeps what the queues hold now for the charts, and once what others noted before.
func (f *feed) sample(ctx context.Context, queues []rota.Queue) {
	f.seed(ctx)
	x := rota.StoreSampleOf(queues, f.now())
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.history) > 0 && x.At.Sub(f.history[0].At) > keepFor {
		if old := f.history[0]; len(f.earlier) == 0 || old.At.Sub(f.earlier[len(f.earlier)-1].At) >= rota.StoreSampleEvery {
			f.earlier = append(f.earlier, old)
		}
		f.history = f.history[1:]
	}
	for len(f.earlier) > 0 && x.At.Sub(f.earlier[0].At) > rota.StoreSamplesFor {
		f.earlier = f.earlier[1:]
	}
	f.history = append(f.history, x)
}

// seed takes what the store has of before this server began.
func (f *feed) seed(ctx context.Context) {
	f.mu.Lock()
	seeded := f.seeded
	f.mu.Unlock()
	if seeded {
		return
	}
	before, err := f.svc.StoreSamples(ctx, f.now().Add(-rota.StoreSamplesFor))
	if err != nil {
		return // the next time
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seeded {
		return
	}
	f.seeded = true
	for len(before) > 0 && len(f.history) > 0 && !before[len(before)-1].At.Before(f.history[0].At) {
		before = before[:len(before)-1]
	}
	f.earlier = before
}

// points are those since a time, oldest first.
func (f *feed) points(since time.Time) []rota.StoreSample {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Concat(f.earlier, f.history)
	first, _ := slices.BinarySearchFunc(all, since, func(x rota.StoreSample, t time.Time) int { return x.At.Compare(t) })
	return all[first:]
}

// since is what changed since an event that a browser has seen, the event's id now, and what is closed at the next
// change. An id of another process is of no use here: everything may have changed.
func (f *feed) since(id string) (what []string, now string, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	process, number, _ := strings.Cut(id, "-")
	seen, err := strconv.ParseInt(number, 10, 64)
	for _, t := range topics {
		if process != f.process || err != nil || f.at[t] > seen {
			what = append(what, t)
		}
	}
	return what, fmt.Sprintf("%s-%d", f.process, f.version), f.changed
}
