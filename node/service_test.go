package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// memory is a rota.NodeService that keeps tasks in memory by the rules of the store: numbered exchanges, fencing
// by attempt, rota.Fate. It can be told to fail.
type memory struct {
	mu               sync.Mutex
	opening          rota.Opening
	state            rota.SessionState
	tasks            []*memTask
	byID             map[rota.TaskID]*memTask
	seq              int64
	last             rota.Exchanged
	news             chan struct{} // closed when there is some
	ready            bool          // not yet told
	asked            []rota.EndingTry
	drains           bool // somebody asked the node to: openings and renewals say so
	drain            bool // and Await is to say so too, once
	pauses           bool // likewise, to pause
	pause            *bool
	ahead            time.Duration // of the store's clock, before the machine's
	inputs, programs map[rota.JobID][]byte
	output           map[rota.Try][]rota.Chunk
	artifacts        map[string]string // by attempt and name
	looks            []rota.Look       // Await is to tell of them, once
	shown            []shownOutput
	wrong            []string // broken promises of the node

	calls     map[string]int
	exchanges []rota.Exchange
	renewals  []rota.Renewal
	ttl       rota.Duration // that the session was opened with first; 0: as this opening says
	tellsLoss bool          // Await says it too
	strays    []rota.Try    // answers of the next renewal
	gone      []rota.Try
	trip      time.Duration                           // how long an exchange takes
	fault     func(call string) (before, after error) // what goes wrong with a call
	restless  bool                                    // always has news
	onEmpty   func()                                  // the last ready task was claimed
}

type shownOutput struct {
	rota.Look
	text string
}

type memTask struct {
	rota.Assignment
	state         rota.State
	ending        rota.Ending
	lost, returns int
	finishes      []rota.Finish
}

func newMemory() *memory {
	return &memory{news: make(chan struct{}), inputs: map[rota.JobID][]byte{}, programs: map[rota.JobID][]byte{}, output: map[rota.Try][]rota.Chunk{}, artifacts: map[string]string{},
		calls: map[string]int{}, byID: map[rota.TaskID]*memTask{}}
}

// submit adds tasks of a job: one, or an array of n.
func (m *memory) submit(job rota.JobID, n int, spec rota.Spec) {
	m.mu.Lock()
	defer m.mu.Unlock()
	retry := spec.Retry.Or(rota.DefaultRetry())
	if spec.Executor == "" {
		spec.Executor = rota.ExecutorExec
	}
	for i := range n {
		t := &memTask{state: rota.Ready}
		t.Assignment = rota.Assignment{Try: rota.Try{Task: rota.PlainTask(job)}, Limit: 1 + *retry.Count,
			Retry: retry, Spec: &spec, Queue: "default", HasInput: m.inputs[job] != nil, Alone: spec.Name == "alone"}
		if n > 1 {
			t.Task = rota.Element(job, i+1)
		}
		m.tasks = append(m.tasks, t)
		m.byID[t.Task] = t
	}
	m.tell()
}

func (m *memory) tell() {
	m.ready = true
	close(m.news)
	m.news = make(chan struct{})
}

func (m *memory) begin(ctx context.Context, call string) (after error, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[call]++
	if m.fault == nil {
		return nil, ctx.Err()
	}
	before, after := m.fault(call)
	return after, before
}

func (m *memory) OpenSession(ctx context.Context, o rota.Opening) (rota.Opened, error) {
	after, err := m.begin(ctx, "open")
	if err != nil {
		return rota.Opened{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.Node.Name == "taken" {
		return rota.Opened{}, rota.Errorf(rota.ErrConflict, "node taken: another node has this name")
	}
	m.opening = o
	if m.state == rota.SessionLost && !o.Sole {
		return rota.Opened{Seq: m.seq, Lost: true}, after
	}
	m.state = rota.SessionOpen
	return rota.Opened{Seq: m.seq, Drain: m.drains, Pause: m.pauses, TTL: m.ttl}, after
}

func (m *memory) Await(ctx context.Context, id rota.SessionID, wait time.Duration) (rota.News, error) {
	after, err := m.begin(ctx, "await")
	if err != nil {
		return rota.News{}, err
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		m.mu.Lock()
		n := rota.News{Ready: m.ready || m.restless, Ending: m.asked, Drain: m.drain, Pause: m.pause, Looks: m.looks}
		m.ready, m.asked, m.drain, m.pause, m.looks = false, nil, false, nil, nil
		more, state := m.news, m.state
		m.mu.Unlock()
		switch {
		case state == rota.SessionClosed, state == rota.SessionLost && m.tellsLoss:
			return rota.News{}, rota.ErrLeaseLost
		case n.Ready || n.Ending != nil || n.Drain || n.Pause != nil || n.Looks != nil:
			return n, after
		}
		select {
		case <-more:
		case <-over.C:
			return rota.News{}, after
		case <-ctx.Done():
			return rota.News{}, ctx.Err()
		}
	}
}

func (m *memory) Renew(ctx context.Context, r rota.Renewal) (rota.Renewed, error) {
	after, err := m.begin(ctx, "renew")
	if err != nil {
		return rota.Renewed{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewals = append(m.renewals, r)
	if m.state != rota.SessionOpen && !(r.Lost && m.state == rota.SessionLost) {
		return rota.Renewed{}, rota.ErrLeaseLost
	}
	ans := rota.Renewed{Strays: m.strays, Gone: m.gone, Drain: m.drains, Pause: m.pauses, Now: time.Now().Add(m.ahead)}
	m.strays, m.gone = nil, nil
	if r.Seq == m.seq { // P5: the digest must agree
		for _, t := range m.tasks {
			if t.state == rota.Running && !slices.Contains(r.Held, t.Try) {
				ans.Strays = append(ans.Strays, t.Try)
			}
			if t.state == rota.Running && t.ending != "" {
				ans.Ending = append(ans.Ending, rota.EndingTry{Try: t.Try, How: t.ending})
			}
		}
		for _, held := range r.Held {
			if t := m.task(held); t == nil || t.state != rota.Running {
				ans.Gone = append(ans.Gone, held)
			}
		}
	}
	return ans, after
}

func (m *memory) Exchange(ctx context.Context, x rota.Exchange) (rota.Exchanged, error) {
	after, err := m.begin(ctx, "exchange")
	if err != nil {
		return rota.Exchanged{}, err
	}
	if m.trip > 0 && !sleep(ctx, m.trip) {
		return rota.Exchanged{}, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.exchanges = append(m.exchanges, x)
	switch {
	case x.Seq == m.seq:
		return m.last, after
	case x.Seq != m.seq+1:
		return rota.Exchanged{}, rota.Errorf(rota.ErrConflict, "exchange %d after %d", x.Seq, m.seq)
	case m.state != rota.SessionOpen && x.Claim.Max > 0:
		return rota.Exchanged{}, rota.ErrLeaseLost
	}
	ans := rota.Exchanged{}
	for _, f := range x.Finished {
		if !m.finish(f) {
			ans.Refused = append(ans.Refused, rota.Refusal{Try: f.Try, Why: "not running here"})
		}
	}
	ans.Claimed = m.claim(x.Claim.Max)
	m.seq, m.last = x.Seq, ans
	return ans, after
}

func (m *memory) finish(f rota.Finish) bool {
	t := m.task(f.Try)
	if t == nil || t.state != rota.Running {
		return false
	}
	t.finishes = append(t.finishes, f)
	m.output[f.Try] = append(m.output[f.Try], f.Output...)
	switch f.Outcome {
	case rota.OutcomeLost:
		t.lost++
	case rota.OutcomeReturned:
		t.returns++
	}
	if rota.RaisesLimit(f.Outcome) {
		t.Limit++
	}
	t.state = rota.Fate(f.Outcome, t.ending != "", rota.Tally{Attempt: t.Attempt, Limit: t.Limit, Lost: t.lost, MaxLost: *t.Retry.MaxLost, Returns: t.returns, OnLost: t.Retry.OnLost})
	switch t.state {
	case rota.Ready:
		m.tell()
	case rota.Scheduled:
		t.Failures++
		time.AfterFunc(f.RetryIn.D(), func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			t.state = rota.Ready
			m.tell()
		})
	}
	return true
}

func (m *memory) claim(most int) []rota.Assignment {
	var as []rota.Assignment
	left := 0
	for _, t := range m.tasks {
		switch {
		case t.state != rota.Ready:
		case len(as) == most:
			left++
		default:
			t.state = rota.Running
			t.Attempt++
			as = append(as, t.Assignment)
		}
	}
	if len(as) > 0 && left == 0 && m.onEmpty != nil {
		m.onEmpty()
	}
	return as
}

func (m *memory) task(try rota.Try) *memTask {
	if t := m.byID[try.Task]; t != nil && t.Try == try {
		return t
	}
	return nil
}

func (m *memory) KeepOutput(ctx context.Context, try rota.Try, chunks []rota.Chunk) error {
	after, err := m.begin(ctx, "keep")
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.task(try); t == nil || t.state != rota.Running {
		return rota.ErrLeaseLost
	}
	bytes := 0
	for _, c := range chunks {
		bytes += len(c.Data)
		same := func(k rota.Chunk) bool { return k.Stream == c.Stream && k.Offset == c.Offset }
		if !slices.ContainsFunc(m.output[try], same) {
			m.output[try] = append(m.output[try], c)
		}
	}
	if bytes > 1<<20 {
		m.wrong = append(m.wrong, fmt.Sprintf("KeepOutput of %d bytes", bytes))
	}
	return after
}

func (m *memory) KeepArtifact(ctx context.Context, a rota.Artifact, body io.Reader) error {
	after, err := m.begin(ctx, "keep artifact")
	if err != nil {
		return err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.task(a.Try); t == nil || t.state != rota.Running {
		return rota.ErrLeaseLost
	}
	if sum := sha256.Sum256(text); int64(len(text)) != a.Size || hex.EncodeToString(sum[:]) != string(a.Blob) {
		return rota.ErrInvalid
	}
	m.artifacts[a.Try.String()+" "+a.Name] = string(text)
	return after
}

func (m *memory) ShowOutput(ctx context.Context, l rota.Look, out rota.Output) error {
	after, err := m.begin(ctx, "show")
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown = append(m.shown, shownOutput{l, string(out.Data)})
	return after
}

func (m *memory) Input(ctx context.Context, job rota.JobID, offset int64, most int) ([]byte, int64, error) {
	after, err := m.begin(ctx, "input")
	if err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.inputs[job]
	if b == nil {
		return nil, 0, rota.ErrNotFound
	}
	return b[offset:min(len(b), int(offset)+most)], int64(len(b)), after
}

func (m *memory) Program(ctx context.Context, job rota.JobID, offset int64, most int) ([]byte, int64, error) {
	after, err := m.begin(ctx, "program")
	if err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.programs[job]
	if b == nil {
		return nil, 0, rota.ErrNotFound
	}
	return b[offset:min(len(b), int(offset)+most)], int64(len(b)), after
}

func (m *memory) CloseSession(ctx context.Context, id rota.SessionID) error {
	after, err := m.begin(ctx, "close")
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.state == rota.Running {
			m.wrong = append(m.wrong, fmt.Sprintf("%v was running when its session was closed", t.Try))
		}
	}
	m.state = rota.SessionClosed
	return after
}

// end asks a running task to end; lose loses the session.
func (m *memory) end(task rota.TaskID, how rota.Ending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.Task == task && t.state == rota.Running {
			t.ending = how
			m.asked = append(m.asked, rota.EndingTry{Try: t.Try, How: how})
		}
	}
	close(m.news)
	m.news = make(chan struct{})
}

func (m *memory) lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.tellsLoss = rota.SessionLost, true
	close(m.news)
	m.news = make(chan struct{})
}

// look runs f while nothing changes.
func (m *memory) look(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}
