package rota

import "time"

// How usage is sampled and kept (D6).
const (
	// SampleEvery is about how far apart the samples of an attempt are when they come, and those of a node that runs
	// something. An attempt that takes less time than that has none: its Usage says what it took.
	SampleEvery = 10 * time.Second
	MaxPoints   = 240 // of an attempt's series
	MaxSamples  = 250 // attempts of which one renewal tells: some 20 ms of the store's time (P18)
)

// TrySample is what a running attempt used a moment ago.
type TrySample struct {
	Try
	Sample
}

// Point is a sample in a series.
type Point struct {
	At time.Time `json:"at" doc:"by the store's clock"`
	Sample
}

// Series is what an attempt used over time, oldest first. However long it runs, it has MaxPoints at most: when one more
// comes, every second one goes, and from then on they are taken half as often.
type Series struct {
	Attempt int      `json:"attempt"`
	Step    Duration `json:"step" doc:"how far apart the points are, about"`
	Points  []Point  `json:"points" nullable:"false"`
}

// Add adds a point. The last point of a series is always the latest that came: it gives way to the next if it is closer
// to the one before it than the series' step. Where the clock was set back, what is ahead of it is dropped.
func (s *Series) Add(p Point) {
	if s.Step == 0 {
		s.Step = Duration(SampleEvery)
	}
	n := len(s.Points)
	for n > 0 && !s.Points[n-1].At.Before(p.At) {
		n--
	}
	// Samples come a little early or late: what is nearly a step apart is.
	if n > 1 && s.Points[n-1].At.Sub(s.Points[n-2].At) < s.Step.D()-SampleEvery/4 {
		n--
	}
	s.Points = append(s.Points[:n], p)
	if len(s.Points) <= MaxPoints {
		return
	}
	kept := s.Points[:0]
	for i := 0; i < len(s.Points); i += 2 {
		kept = append(kept, s.Points[i])
	}
	s.Points, s.Step = kept, s.Step*2
}

// NodeSample is what a node and its machine were doing at one moment. The machine's figures are those of the whole
// machine, whoever uses it; 0 is not known.
type NodeSample struct {
	At          time.Time `json:"at,omitzero" doc:"by the store's clock"`
	Load1       float64   `json:"load1" doc:"load average over a minute"`
	CPUs        int       `json:"cpus"`
	MemoryUsed  int64     `json:"memory_used" doc:"bytes that are not available to programs"`
	MemoryTotal int64     `json:"memory_total" doc:"bytes"`
	DiskFree    int64     `json:"disk_free" doc:"bytes that the node can still write, where its data folder is"`
	DiskTotal   int64     `json:"disk_total" doc:"bytes"`
	Slots       int       `json:"slots"`
	Running     int       `json:"running" doc:"attempts in a slot"`
}

// NodeSpan says how far apart a node's samples are kept that have a certain age.
type NodeSpan struct {
	Age  time.Duration // that the samples have reached
	Step time.Duration // of each such stretch of time, the first sample stays; 0: none
}

// NodeSpans are how a node's samples thin out with age. Younger ones are kept as they came.
var NodeSpans = []NodeSpan{{time.Hour, time.Minute}, {24 * time.Hour, 10 * time.Minute}, {7 * 24 * time.Hour, 0}}

// StoreSample is what the queues of a store held at one moment. One of its servers takes one about every StoreSampleEvery.
type StoreSample struct {
	At      time.Time `json:"at,omitzero" doc:"by the store's clock"`
	Waiting int       `json:"waiting" doc:"tasks that do not run and have not ended"`
	Running int       `json:"running"`
	Ended   int       `json:"ended" doc:"of the history that is kept: less when some of it was removed"`
	Failed  int       `json:"failed" doc:"of those that ended"`
	Oldest  Duration  `json:"oldest,omitzero" doc:"how long the oldest job has waited that could start something"`
}

const (
	StoreSampleEvery = time.Minute
	StoreSamplesFor  = 7 * 24 * time.Hour // how long they are kept
)

// StoreSampleOf sums up queues.
func StoreSampleOf(queues []Queue, now time.Time) StoreSample {
	x := StoreSample{At: now}
	for i := range queues {
		for state, n := range queues[i].Counts {
			switch {
			case state == Running:
				x.Running += n
			case !state.Ended():
				x.Waiting += n
			default:
				x.Ended += n
			}
			if state == Failed {
				x.Failed += n
			}
		}
	}
	if o := OldestOf(queues); o != nil {
		x.Oldest = Duration(max(0, now.Sub(o.Since)))
	}
	return x
}

// OldestOf is the job that has waited longest in any of some queues; nil: none waits.
func OldestOf(queues []Queue) (oldest *Oldest) {
	for i := range queues {
		if o := queues[i].Oldest; o != nil && (oldest == nil || o.Since.Before(oldest.Since)) {
			oldest = o
		}
	}
	return oldest
}
