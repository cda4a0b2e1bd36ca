package keeper

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

// slot is a place for one attempt at a time: a thread, and a folder whose files are used again and again, since a
// folder and files made and removed for each attempt cost a fifth of all a short task costs.
type slot struct {
	keeper  *Local
	number  int
	dir     string
	made    bool // the folder is as it should be
	busy    bool // it has an attempt; the keeper's lock guards it
	group   *group
	follows *run // what follows orphans of the attempt, where no control group does
	scratch scratch
	token   token
	streams [2]stream
	env     []string // room for the environment of the attempt
	own     [3]string
	secrets bool            // there are files of such
	spent   bool            // the thread is not as it was
	tells   *os.File        // of the attempt that runs: how its stages ended; nil: it has none
	hosted  map[uint32]bool // users of the slot's own of whom nothing lives
}

func newSlot(k *Local, number int) *slot {
	dir := filepath.Join(k.dir, "slots", strconv.Itoa(number))
	s := &slot{keeper: k, number: number, dir: dir,
		scratch: scratch{path: filepath.Join(dir, "scratch")},
		token:   token{path: filepath.Join(dir, "token"), fd: -1},
		streams: [2]stream{newStream(dir, rota.Stdout), newStream(dir, rota.Stderr)}}
	s.own = [3]string{scratchMark + s.scratch.path, "ROTA_SLOT=" + strconv.Itoa(number), "ROTA_TOKEN_FILE=" + s.token.path}
	return s
}

// run takes attempts for as long as the keeper lives. The thread is the slot's own from here on and lives as long, or
// at least until what it has started is dead, which would die with it (P11).
func (s *slot) run() {
	runtime.LockOSThread() // never unlocked: the thread ends with this function
	if s.keeper.orphans != nil && onMainThread() {
		s.leaveMainThread()
		return
	}
	for a := s.keeper.take(s); a != nil; a = s.keeper.take(s) {
		if s.try(a); s.spent {
			s.spent = false
			s.keeper.replaceThread()
			go s.run()
			return
		}
	}
	s.close()
	s.keeper.threads.Done()
}

// leaveMainThread goes on elsewhere: the children of the main thread are orphans.
func (s *slot) leaveMainThread() {
	elsewhere := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(elsewhere)
		s.run()
	}()
	<-elsewhere
	runtime.UnlockOSThread()
}

// try is one attempt, from its files to its end.
func (s *slot) try(a *attempt) {
	as := a.process.As // an attempt that has ended knows nothing of it
	if f := s.start(a); f != nil {
		if f.isOurs() {
			s.close() // what it has open may be what the others lack
		}
		s.keeper.failed(a, f)
	} else {
		s.follow(a)
	}
	s.dismiss(as)
	if s.secrets {
		s.removeSecrets()
	}
	if err := s.scratch.clear(s.dir); err != nil {
		s.made = false // made anew before the next attempt, which tells if it cannot be
	}
}

// start makes the process of an attempt.
func (s *slot) start(a *attempt) *failure {
	p := &a.process
	l, f := s.prepare(p)
	defer l.close()
	if f != nil {
		return f
	}
	if !s.keeper.lease.allows(p) {
		a.watch.end(unleased, true)
	}
	if a.watch.asked() {
		return returned(takenBack)
	}
	c, f := s.keeper.limiter.confine(s.number, p.Limits)
	if f != nil {
		return f
	}
	a.exit.Started = clock.Elapsed()
	b := birth{Try: p.Try, slot: s.number, before: a.exit.Started}
	s.keeper.journal.try(b)
	s.follows = nil
	if s.group.folder() == "" {
		s.follows = s.keeper.orphans.begin(b, &a.gauge)
	}
	at.Point("keeper: before fork")
	if b.pid, f = s.fork(l, c); f != nil {
		s.keeper.orphans.started(s.follows, 0)
		s.release(c)
		return f
	}
	s.keeper.orphans.started(s.follows, b.pid)
	s.tells, l.tells = l.tells, nil
	a.gauge.begin(b, s.group, c)
	a.watch.begin(b.pid, p.Timeout.D(), p.Grace.D())
	s.keeper.started(a, [2]string{s.file(p, &s.streams[0]), s.file(p, &s.streams[1])})
	at.Point("keeper: after fork")
	b.after = clock.Elapsed()
	s.keeper.journal.start(b)
	return nil
}

// follow waits for the end of an attempt, keeps its output and reports it.
func (s *slot) follow(a *attempt) {
	p := &a.process
	d := a.watch.wait(s.keeper.log, p.Try, s.keeper.orphans)
	s.keeper.orphans.end(s.follows)
	s.account(a, &d)
	used, err := s.group.kill()
	if err != nil {
		s.keeper.log.Error("an attempt's control group is not empty", "task", p.Task, "attempt", p.Attempt, "error", err)
	}
	e := executor.Exit{Try: p.Try, Spawned: true, Started: a.exit.Started, Ended: clock.Elapsed(), Usage: d.usage}
	d.tell(&e, p)
	if s.tells != nil {
		e.Reason = s.tellStages(e.Outcome, e.Reason)
	}
	at.Point("keeper: after exit")
	s.keeper.leave(a)
	for i := range s.streams {
		s.settle(&s.streams[i], p, &e)
	}
	s.gather(p, &e)
	at.Point("keeper: output settled")
	s.keeper.journal.end(s.number, e)
	at.Point("keeper: before report")
	s.keeper.ended(a, e)
	if used {
		s.made = false
	}
}

// account tells a death what was measured of the attempt, and ends its control groups.
func (s *slot) account(a *attempt, d *death) {
	d.usage.Memory, d.said = a.gauge.end()
	if s.group.starved() && d.lack == nothing {
		d.lack = machine
	}
	if c := a.gauge.confined; c != nil {
		c.account(d)
		s.release(c)
	}
}

// release ends what held an attempt's limits.
func (s *slot) release(c *confined) {
	if c == nil {
		return
	}
	if err := c.close(); err != nil {
		s.keeper.log.Error("control groups of an attempt with limits are left", "slot", s.number, "error", err)
	}
}

// settle keeps what an attempt wrote to one of the slot's files.
func (s *slot) settle(o *stream, p *executor.Process, e *executor.Exit) {
	if ownFile(p, o.name) != "" {
		return
	}
	name := strconv.FormatInt(int64(p.Task), 10) + "." + strconv.Itoa(p.Attempt) + "." + string(o.name)
	path, written, err := o.settle(filepath.Join(s.keeper.output, name))
	if err != nil {
		s.keeper.log.Error("output was not kept where it should be", "task", p.Task, "attempt", p.Attempt,
			"stream", o.name, "file", path, "error", err)
	}
	if o.name == rota.Stderr {
		e.Written.Stderr = written
	} else {
		e.Written.Stdout = written
	}
	if path != "" {
		if e.Output == nil {
			e.Output = make(map[rota.Stream]string, 2)
		}
		e.Output[o.name] = path
	}
}

// file is where a stream of the slot's attempt goes.
func (s *slot) file(p *executor.Process, o *stream) string {
	if own := ownFile(p, o.name); own != "" {
		return resolve(s.folder(p), own)
	}
	return o.path()
}

// folder is where the attempt runs.
func (s *slot) folder(p *executor.Process) string {
	switch {
	case p.Dir != "":
		return p.Dir
	case p.As != nil:
		return filepath.Join(s.guestRoom(), "scratch")
	}
	return s.scratch.path
}

// make makes the slot's folder what it should be.
func (s *slot) make() error {
	s.close()
	if err := forSlot(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.scratch.make(s.dir); err != nil {
		return err
	}
	var err error
	s.group.discard()
	if s.group, err = s.keeper.groups.slot(strconv.Itoa(s.number)); err != nil {
		return err
	}
	s.made = true
	return nil
}

func (s *slot) close() {
	s.token.close()
	if s.group != nil {
		s.group.close()
	}
	for i := range s.streams {
		s.streams[i].close()
	}
	s.made = false
}
