package sqlstore

import (
	"database/sql"
	"sync"
)

// Where others write too, what was claimed stays in the claim's index, dead, until the oldest transaction of the database
// has ended: a long report beside a busy queue leaves a million of such entries at the head of a lane, and each claim would
// pass over all of them. So when a claim passed over many, those that follow begin where it found the first that lived, and only
// now and then one looks from the beginning again, for what became ready before that point: the more there was to pass over,
// the rarer. With few dead entries every claim begins at the beginning, and the order is exact.
const (
	floorFrom  = 2_000 // entries passed over
	floorShare = 50    // of them, for each claim that does not look again
	floorMost  = 2_000 // claims
)

// floors are the points from which claims look, by lane.
type floors struct {
	mu    sync.Mutex
	lanes map[int64]*floor
}

type floor struct {
	rank, id int64
	claims   int // that may still begin here
}

// of is the floor of a lane, if the next claim may begin there.
func (f *floors) of(lane int64) (rank, id int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.lanes[lane]
	if x == nil {
		return 0, 0, false
	}
	if x.claims--; x.claims <= 0 {
		delete(f.lanes, lane)
		return 0, 0, false
	}
	return x.rank, x.id, true
}

// passed takes note of a claim that looked from the beginning, and of where it found the first.
func (f *floors) passed(first claimed, dead int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if dead < floorFrom {
		return
	}
	if f.lanes == nil {
		f.lanes = map[int64]*floor{}
	}
	f.lanes[first.lane] = &floor{first.rank, int64(first.id), min(dead/floorShare, floorMost)}
}

// advance takes note of where a claim from the floor found the first.
func (f *floors) advance(first claimed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.lanes[first.lane]; x != nil {
		x.rank, x.id = first.rank, int64(first.id)
	}
}

// forget makes the next claim look from the beginning.
func (f *floors) forget(lane int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.lanes, lane)
}

// head reads the first n ready tasks of a lane that nobody else is about to claim.
func (t *tx) head(lane int64, n int) (picks []claimed, err error) {
	scan := func(r *sql.Rows) error {
		p, err := scanClaimed(r)
		picks = append(picks, p)
		return err
	}
	if rank, id, ok := t.s.floors.of(lane); ok {
		err = t.query(scan, `SELECT `+claimedColumns+` FROM task WHERE lane = ?1 AND state = 4 AND gate = 0 AND (rank, id) >= (?3, ?4)
			ORDER BY rank, id LIMIT ?2 /*pg FOR UPDATE SKIP LOCKED */`, lane, n, rank, id)
		if err == nil && len(picks) == n {
			t.s.floors.advance(picks[0])
		}
		if err != nil || len(picks) == n {
			return picks, err
		}
		t.s.floors.forget(lane)
		picks = nil
	}
	err = t.query(scan, `SELECT `+claimedColumns+` FROM task WHERE lane = ?1 AND state = 4 AND gate = 0 ORDER BY rank, id LIMIT ?2
		/*pg FOR UPDATE SKIP LOCKED */`, lane, n)
	t.looked = len(picks) > 0
	return picks, err
}

// passedOver tells the floors how many dead entries this transaction's claim read, if it looked from the beginning. It is
// a column of the statement that ends an exchange.
func (t *tx) passedOver(picks []claimed, read int) {
	if t.looked && len(picks) > 0 {
		t.s.floors.passed(picks[0], read-len(picks))
	}
}
