package sqlstore

import (
	"cmp"
	"container/heap"
	"database/sql"
	"slices"
	"strings"
)

// A claim of several lanes reads the heads of all of them, and merges. Within a queue rank and age decide, whatever lanes its
// tasks are in. Between queues that one pattern selects the heads do: the rank counts where it is the same
// for all (a priority), then the age; so a queue that is shared fairly keeps its own order, and neither starves the
// others nor is starved.

// source is a lane with what was read of it.
type source struct {
	lane   *laneRules
	heads  []claimed // that were not picked
	more   bool      // there may be more behind them
	picked int
}

// from is a queue with its lanes.
type from struct {
	*offered
	sources []source
	first   *source // whose head goes first; nil when nothing is left
	rank    int64   // of that head, as it counts beside those of other queues
}

// look finds which head goes first.
func (f *from) look() {
	f.first = nil
	for i := range f.sources {
		if x := &f.sources[i]; len(x.heads) > 0 && (f.first == nil || inOrder(&x.heads[0], &f.first.heads[0]) < 0) {
			f.first = x
		}
	}
	if f.first != nil {
		f.rank = f.across(f.first.heads[0].rank)
	}
}

// froms are queues with something left, a heap: the first goes first.
type froms []from

func (f froms) Len() int      { return len(f) }
func (f froms) Swap(i, k int) { f[i], f[k] = f[k], f[i] }
func (f froms) Less(i, k int) bool {
	a, b := &f[i], &f[k]
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.first.heads[0].id, b.first.heads[0].id), strings.Compare(a.Name, b.Name)) < 0
}
func (f *froms) Push(any) { panic("a queue comes late") }
func (f *froms) Pop() any {
	*f = (*f)[:len(*f)-1]
	return nil
}

func inOrder(a, b *claimed) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) }

// merge picks the first n tasks of the sources together that the offer has room for, and takes them.
func (o *offer) merge(sources []source, n int) ([]claimed, error) {
	left := o.byQueue(sources)
	var picks []claimed
	for len(picks) < n && len(left) > 0 {
		f := &left[0]
		s := f.first
		if (!f.free || !s.lane.free) && o.room(s.lane, 1) == 0 {
			s.heads, s.more = nil, false
		} else {
			picks = append(picks, s.heads[0])
			o.take(s.lane, 1)
			s.heads = s.heads[1:]
			s.picked++
		}
		if len(s.heads) == 0 && s.more {
			if err := o.t.readMore(s, &picks[len(picks)-1], min(max(s.picked, n/len(sources)), n-len(picks))); err != nil {
				return nil, err
			}
		}
		if f.look(); f.first == nil {
			heap.Pop(&left)
		} else {
			heap.Fix(&left, 0)
		}
	}
	return picks, nil
}

// byQueue are the queues of sources, which stand together by queue.
func (o *offer) byQueue(sources []source) froms {
	all := make(froms, 0, len(o.queues))
	for i := 0; i < len(sources); {
		f := from{offered: sources[i].lane.queue}
		end := i + 1
		for end < len(sources) && sources[end].lane.queue == f.offered {
			end++
		}
		f.sources = sources[i:end]
		f.look()
		all = append(all, f)
		i = end
	}
	heap.Init(&all)
	return all
}

// heads are those of the lanes that have something, with their first tasks, or with more of them, of which n are wanted in all.
// Where only this writer writes it remembers the first of each lane until something becomes ready there, or is ready no more.
func (t *tx) heads(lanes []*laneRules, n int) (sources []source, err error) {
	if sources, err = t.peek(lanes, n); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(sources, func(s source) bool { return len(s.heads) == 0 }), nil
}

// peek is heads with the lanes that have nothing.
func (t *tx) peek(lanes []*laneRules, n int) ([]source, error) {
	sources, unknown := make([]source, len(lanes)), []*source{}
	heads := make([]claimed, len(lanes)) // room for one of each
	for i, l := range lanes {
		s := &sources[i]
		s.lane, s.more = l, true
		if head, known := t.w.heads[l.id]; known {
			heads[i] = head
			s.heads = heads[i : i+1 : i+1]
			continue
		}
		unknown = append(unknown, s)
	}
	if t.s.engine.shared() {
		return sources, t.readHeads(unknown, min(n, 2+2*n/len(lanes))) // a second one costs little beside finding the first
	}
	if t.w.heads == nil {
		t.w.heads = map[int64]claimed{}
	}
	for _, s := range unknown {
		var err error
		if s.heads, err = t.head(s.lane.id, 1); err != nil {
			return nil, err
		}
		if len(s.heads) > 0 {
			t.w.heads[s.lane.id] = s.heads[0]
		}
	}
	return sources, nil
}

// readHeads reads the first n tasks of each lane at once.
func (t *tx) readHeads(sources []*source, n int) error {
	ids := make([]int64, len(sources))
	at := make(map[int64]*source, len(sources))
	for i, s := range sources {
		ids[i], at[s.lane.id] = s.lane.id, s
	}
	err := t.query(func(r *sql.Rows) error {
		c, err := scanClaimed(r)
		if s := at[c.lane]; s != nil {
			s.heads = append(s.heads, c)
		}
		return err
	}, `SELECT t.* FROM unnest(translate(?1, '[]', '{}')::bigint[]) l (lane) CROSS JOIN LATERAL (SELECT `+claimedColumns+` FROM task
		WHERE task.lane = l.lane AND state = 4 AND gate = 0 ORDER BY rank, id LIMIT ?2) t`, list(ids), n)
	for _, s := range sources {
		s.more = len(s.heads) >= n
		slices.SortFunc(s.heads, func(a, b claimed) int { return inOrder(&a, &b) })
	}
	return err
}

// readMore reads on in a lane behind a task.
func (t *tx) readMore(s *source, last *claimed, n int) error {
	if n <= 0 {
		return nil
	}
	err := t.query(func(r *sql.Rows) error {
		c, err := scanClaimed(r)
		s.heads = append(s.heads, c)
		return err
	}, `SELECT `+claimedColumns+` FROM task WHERE lane = ?1 AND state = 4 AND gate = 0 AND (rank, id) > (?3, ?4) ORDER BY rank, id LIMIT ?2`,
		s.lane.id, n, last.rank, int64(last.id))
	s.more = len(s.heads) >= n
	return err
}

// lock takes of each lane as many of the first tasks as were picked of it, where others claim too: what they are about to
// claim is passed over, and nothing is held that is not taken, which others would pass over.
func (o *offer) lock(picks []claimed) ([]claimed, error) {
	shares := map[int64]int{}
	var lanes []int64
	for i := range picks {
		if shares[picks[i].lane]++; shares[picks[i].lane] == 1 {
			lanes = append(lanes, picks[i].lane)
		}
	}
	slices.Sort(lanes)
	counts := make([]int64, len(lanes))
	for i, id := range lanes {
		counts[i] = int64(shares[id])
	}
	got := map[int64][]claimed{}
	err := o.t.query(func(r *sql.Rows) error {
		c, err := scanClaimed(r)
		got[c.lane] = append(got[c.lane], c)
		return err
	}, `SELECT t.* FROM unnest(translate(?1, '[]', '{}')::bigint[], translate(?2, '[]', '{}')::bigint[]) l (lane, n) CROSS JOIN LATERAL (SELECT `+claimedColumns+`
		FROM task WHERE task.lane = l.lane AND state = 4 AND gate = 0 ORDER BY rank, id LIMIT l.n FOR UPDATE SKIP LOCKED) t`, list(lanes), list(counts))
	if err != nil {
		return nil, err
	}
	out := picks[:0]
	for _, p := range picks { // in the order that was found
		if some := got[p.lane]; len(some) > 0 {
			out, got[p.lane] = append(out, some[0]), some[1:]
		} else {
			o.take(o.lanes.rules(p.lane), -1)
		}
	}
	return out, nil
}
