package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
)

// Bounds of one commit (P18): when it has moved so many rows or done as many writes as the engine gathers, what waits
// goes into the next.
const (
	commitRows   = 2_000
	commitSubmit = 4 << 20 // the weight of the jobs stored as one write, about their bytes: some 500 small jobs
)

// commits gathers writes into commits: what arrives while all writers are busy goes into the next, without timers, so a
// lone write is committed at once and commits carry more the slower they are. Writes of a commit are apart: one that
// fails is undone alone (P6), and none is answered before all of them are durable. Submits that wait together are
// stored together.
type commits struct {
	mu      sync.Mutex
	waiting []*write
	idle    []*writer
	rest    sync.Cond // told whenever a writer becomes idle
	made    int       // commits
}

// write is one call that writes.
type write struct {
	what string
	do   func(*tx) error
	sub  *submission // a submit; do is nil
	same bool        // doing it twice is the same as doing it once
	long bool        // upkeep: it begins a commit or waits for the next, so that nobody's answer waits for it
	deed *rota.Deed  // to be added to the audit; nil: nothing
	wary bool        // it was tried, and what it found was not what it expected
	err  error
	done chan struct{} // closed when it is answered
}

// submission is what a submit brings, and its answer.
type submission struct {
	jobs    []rota.NewJob
	results []rota.SubmitResult
}

// write runs do in a commit. It waits its turn as long as ctx allows; once begun, it is not interrupted: a caller that
// goes away does not undo what others wait for. A commit that fails as a whole is tried again write by write: do may
// run twice, and leaves nothing behind but in the transaction and in what it returns.
func (s *Store) write(ctx context.Context, what string, do func(t *tx) error) error {
	return s.commit(ctx, &s.commits, &write{what: what, do: do})
}

// written is what do returned in a commit.
func written[T any](ctx context.Context, s *Store, what string, do func(t *tx) (T, error)) (T, error) {
	return writtenBy(ctx, s, &write{what: what}, do)
}

// writtenSame is written for what may be done twice, as exchanges are: they are numbered.
func writtenSame[T any](ctx context.Context, s *Store, what string, do func(t *tx) (T, error)) (T, error) {
	return writtenBy(ctx, s, &write{what: what, same: true}, do)
}

func writtenBy[T any](ctx context.Context, s *Store, w *write, do func(t *tx) (T, error)) (T, error) {
	var out T
	w.do = func(t *tx) (err error) {
		out, err = do(t)
		return err
	}
	err := s.commit(ctx, &s.commits, w)
	return out, err
}

func (s *Store) commit(ctx context.Context, c *commits, w *write) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.writers == 0 {
		return rota.Errorf(rota.ErrUnavailable, "%s: the store was opened for reading only", w.what)
	}
	if d, is := rota.DeedOf(ctx); is {
		w.deed = &d
	}
	w.done = make(chan struct{})
	if wr := c.join(w); wr != nil {
		go s.work(c, wr)
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if c.leave(w) {
			return ctx.Err()
		}
		<-w.done
	}
	if w.err != nil {
		return fmt.Errorf("%s: %w", w.what, w.err)
	}
	return nil
}

// join adds a write, and takes a writer for it if one is idle.
func (c *commits) join(w *write) *writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, w)
	return c.take()
}

// take takes an idle writer, if there is one.
func (c *commits) take() *writer {
	n := len(c.idle)
	if n == 0 {
		return nil
	}
	wr := c.idle[n-1]
	c.idle = c.idle[:n-1]
	return wr
}

// put makes a writer idle, unless something waits.
func (c *commits) put(wr *writer) (idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		return false
	}
	c.idle = append(c.idle, wr)
	c.rest.Broadcast()
	return true
}

// all takes n writers, and waits for those that work.
func (c *commits) all(n int) []*writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []*writer
	for len(taken) < n {
		if wr := c.take(); wr != nil {
			taken = append(taken, wr)
		} else {
			c.rest.Wait()
		}
	}
	return taken
}

// leave takes a write back, and reports whether it was still waiting.
func (c *commits) leave(w *write) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, x := range c.waiting {
		if x == w {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next takes what goes into the commit next: one write, or all the submits that wait and fit.
func (c *commits) next(empty bool) []*write {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil
	}
	first := c.waiting[0]
	if first.long && !empty {
		return nil
	}
	if first.sub == nil {
		c.waiting = c.waiting[1:]
		return []*write{first}
	}
	var some, rest []*write
	weight := 0
	for i, w := range c.waiting {
		if w.sub != nil {
			weight += w.sub.weight()
			if len(some) > 0 && weight > commitSubmit {
				rest = append(rest, c.waiting[i:]...)
				break
			}
			some = append(some, w)
		} else {
			rest = append(rest, w)
		}
	}
	c.waiting = rest
	return some
}

func (sub *submission) weight() int {
	const row, entry = 8 << 10, 128
	weight := 0
	for i := range sub.jobs {
		j := &sub.jobs[i]
		weight += row + len(j.Input) + len(j.Spec.Shell) + len(j.Spec.Script)
		for _, part := range [][]string{j.Lines, j.Spec.Argv, j.Spec.Env} {
			for _, text := range part {
				weight += entry + len(text)
			}
		}
	}
	return weight
}

// work makes commits with a writer until nothing waits.
func (s *Store) work(c *commits, wr *writer) {
	for {
		for _, w := range s.commitOnce(c, wr) {
			close(w.done)
		}
		if c.put(wr) {
			return
		}
	}
}

// commitOnce makes one commit of what waits and what arrives meanwhile, within its bounds. Every write that it took
// has its answer.
func (s *Store) commitOnce(c *commits, wr *writer) (done []*write) {
	if s.engine.shared() {
		done = c.next(true)
		if len(done) > 0 {
			s.alone(wr, done)
		}
		return done
	}
	g := group{s: s, w: wr}
	for n := 0; n < s.engine.together() && g.rows < commitRows; n++ {
		some := c.next(n == 0)
		if some == nil {
			break
		}
		done = append(done, some...)
		g.add(some)
	}
	g.end()
	c.mu.Lock()
	c.made++
	c.mu.Unlock()
	return done
}

// group is a commit under way.
type group struct {
	s     *Store
	w     *writer
	begun bool
	rows  int
	kept  [][]*write // that are in the transaction

	learned []learned // by those
	numbers *numbers  // for the jobs of a submit
}

// add runs writes that go together, apart from those before them.
func (g *group) add(some []*write) {
	err := g.s.usable(context.Background())
	if err == nil && !g.begun {
		err = g.w.begin(false)
		g.begun = err == nil
	}
	if err == nil {
		err = g.apart(some)
	}
	if err == nil {
		g.kept = append(g.kept, some)
		return
	}
	if errors.Is(err, errAgain) && !some[0].wary {
		some[0].wary = true
		g.add(some)
		return
	}
	err = g.s.classify(err)
	if len(some) > 1 && !hopeless(err) { // which of them was it?
		for i := range some {
			g.add(some[i : i+1])
		}
		return
	}
	answer(some, err)
}

// hopeless reports whether writes would fail one by one as they did together.
func hopeless(err error) bool {
	return errors.Is(err, rota.ErrFull) || errors.Is(err, rota.ErrBroken) || errors.Is(err, rota.ErrUnavailable)
}

func answer(some []*write, err error) {
	for _, w := range some {
		w.err = err
	}
}

// apart runs writes so that they can be undone without those before them.
func (g *group) apart(some []*write) error {
	w := g.w
	first := len(g.kept) == 0
	if !first {
		if err := w.mark("part"); err != nil {
			return err
		}
	}
	n, err := g.run(some)
	g.rows += n
	switch {
	case err == nil && first:
		return nil
	case err == nil:
		return w.unmark("part")
	case first:
		w.rollback()
		g.begun = false
	default:
		if undo := w.undo("part"); undo != nil { // the engine has undone all of it
			w.rollback()
			g.begun = false
			g.again()
		}
	}
	return err
}

// run runs writes that go together in the transaction that is open.
func (g *group) run(some []*write) (rows int, err error) {
	t := newTx(g.s, g.w)
	t.wary, t.numbers = some[0].wary, g.numbers
	if some[0].sub == nil {
		err = some[0].do(t)
	} else {
		err = t.submitTogether(some)
	}
	for i := 0; err == nil && i < len(some); i++ {
		err = t.recordOf(some[i])
	}
	if err == nil {
		err = t.settle()
	}
	if err == nil {
		g.learned = append(g.learned, t.learned...)
	}
	return t.moved, err
}

// end commits.
func (g *group) end() {
	if !g.begun {
		return
	}
	if err := g.w.commit(); err != nil {
		g.w.rollback()
		if err = g.s.classify(err); len(g.kept) == 1 || errors.Is(err, rota.ErrBroken) {
			for _, some := range g.kept {
				answer(some, err)
			}
			return
		}
		g.again()
		return
	}
	g.s.templates.learn(g.learned)
}

// again gives those that were in a transaction that failed as a whole a transaction each.
func (g *group) again() {
	kept := g.kept
	g.kept, g.learned = nil, nil
	for _, some := range kept {
		alone := group{s: g.s, w: g.w}
		alone.add(some)
		alone.end()
	}
}

// alone commits writes that go together where others write at the same time: whoever is in their way, they are tried
// again.
func (s *Store) alone(w *writer, some []*write) {
	var err error
	for try := range 12 {
		if try > 0 {
			time.Sleep(min(time.Millisecond<<try, 100*time.Millisecond))
		}
		if err = s.once(w, some, try >= 3); !errors.Is(err, errAgain) {
			break
		}
		some[0].wary = true
	}
	if err = s.classify(err); len(some) > 1 && err != nil && !hopeless(err) { // which of them was it?
		for i := range some {
			s.alone(w, some[i:i+1])
		}
		return
	}
	answer(some, err)
}

// once makes one try. With firm nobody changes the shape meanwhile: who changes it all the time then has to wait.
func (s *Store) once(w *writer, some []*write, firm bool) error {
	g := group{s: s, w: w, numbers: w.numbersFor(some)}
	if err := w.begin(!some[0].same); err != nil {
		return err
	}
	var err error
	if firm {
		err = w.holdShape()
	}
	if err == nil {
		_, err = g.run(some)
	}
	if err == nil {
		err = w.commit()
	}
	if err != nil {
		w.rollback()
		return err
	}
	s.templates.learn(g.learned)
	return nil
}

// transact runs one write in a transaction of its own, before the store is open to others.
func (s *Store) transact(w *writer, do func(t *tx) error) error {
	one := []*write{{do: do}}
	if s.engine.shared() {
		s.alone(w, one)
		return one[0].err
	}
	g := group{s: s, w: w}
	g.add(one)
	g.end()
	return one[0].err
}
