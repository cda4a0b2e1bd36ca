package keeper

import (
	"bytes"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// orphans are the processes that came to the keeper when their parents had died: it is a child subreaper, so that what
// its attempts orphan does not leave the tree of its processes (P12). The kernel makes them children of the keeper's main
// thread, and no slot starts anything on that: what is in the list of its children is never a slot's own process.
//
// So reaping them takes no attempt's exit. And when nothing of an attempt's process group is left, all that it has left
// elsewhere descends from orphans: where there are none, nothing was left, and to know that costs one reading.
//
// An orphan's number is its own until it is reaped. Whoever reaps or signals holds the lock, and so no other process is
// ever signalled.
type orphans struct {
	log      *slog.Logger
	slots    string // the folder of the slots, by which marks are known
	guests   string // and that of those who run as others
	own      int    // the keeper's process group
	session  int    // and its session
	children int    // the list of the main thread's children
	signals  chan os.Signal

	mu    sync.Mutex
	runs  map[int]*run    // by slot: attempts that run, or whose leftovers are not dead yet
	known map[int]*orphan // by number
	kin   map[int]kin     // by number: descendants of orphans that were killed, and whose they are
	text  []byte          // room for the list
}

// run is an attempt, as far as orphans are asked whether they are its own.
type run struct {
	birth
	gauge *gauge
	over  bool
}

// orphan is what is known of one, as it was first seen alive.
type orphan struct {
	of    *run   // nil: nothing says whose it is
	could []*run // then: those that ran when it was started; it ends with the last of them

	group, session int
}

// kin is a process that was seen below another.
type kin struct {
	started int64
	of      *run
}

// adopt makes this process the one that orphans come to, from now on and for good.
func adopt(dir string, log *slog.Logger) (*orphans, error) {
	main := strconv.Itoa(os.Getpid())
	children, err := unix.Open("/proc/"+main+"/task/"+main+"/children", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err // some kernels have no such list
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		_ = unix.Close(children)
		return nil, err
	}
	session, err := unix.Getsid(0)
	if err != nil {
		_ = unix.Close(children)
		return nil, err
	}
	o := &orphans{log: log, slots: filepath.Join(dir, "slots"), guests: guestHouse(dir), own: unix.Getpgrp(), session: session, children: children,
		signals: make(chan os.Signal, 1), runs: map[int]*run{}, known: map[int]*orphan{}, kin: map[int]kin{}, text: make([]byte, 4096)}
	signal.Notify(o.signals, unix.SIGCHLD)
	go o.reapAll()
	return o, nil
}

// close is for when nothing runs.
func (o *orphans) close() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	signal.Stop(o.signals)
	close(o.signals)
	_ = unix.Close(o.children)
	o.children = -1
}

// Children end all the time, and few of them are orphans: the kernel's notice is not listened to for a while after each
// look, a shorter while when the look found some.
const (
	reapPause     = 100 * time.Millisecond
	reapPauseSoon = 10 * time.Millisecond
)

// reapAll reaps orphans as they die. It costs nothing while no child of the keeper's does.
func (o *orphans) reapAll() {
	for range o.signals {
		signal.Stop(o.signals)
		pause := reapPause
		if o.reap() > 0 {
			pause = reapPauseSoon
		}
		time.Sleep(pause)
		if !o.listen() {
			return
		}
		o.reap() // those whose notice was missed
	}
}

func (o *orphans) listen() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.children >= 0 {
		signal.Notify(o.signals, unix.SIGCHLD)
	}
	return o.children >= 0
}

// reap reaps the orphans that are dead, and reports how many.
func (o *orphans) reap() (dead int) {
	if o == nil {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, pid := range o.list() {
		if o.bury(pid) {
			dead++
		}
	}
	return dead
}

// none reports whether there are no orphans, which is most often so.
func (o *orphans) none() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.list()) == 0
}

// list is the numbers of all orphans. None can leave the list while the lock is held.
func (o *orphans) list() (pids []int) {
	text := o.text[:0]
	for {
		if len(text) == cap(text) {
			text = slices.Grow(text, cap(text))
		}
		n, err := unix.Pread(o.children, text[len(text):cap(text)], int64(len(text)))
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		text = text[:len(text)+n]
	}
	o.text = text
	for word := range bytes.FieldsSeq(text) {
		if pid, err := strconv.Atoi(string(word)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// bury reaps an orphan if it is dead. One that was killed keeps the number of its process group from being used again
// until then: what else is in the group is killed with it.
func (o *orphans) bury(pid int) bool {
	if k := o.known[pid]; k.isOver() {
		p := stat(pid)
		if p == nil || p.isAlive() {
			return false
		}
		if o.isTheirs(p.group) {
			_ = unix.Kill(-p.group, unix.SIGKILL)
		}
	}
	dead, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
	if dead == pid || err == unix.ECHILD {
		delete(o.known, pid)
		return true
	}
	return false
}

// isTheirs reports whether a group, which has an orphan in it, is neither ours nor that of an attempt that runs.
func (o *orphans) isTheirs(group int) bool {
	if group <= 1 || group == o.own {
		return false
	}
	for _, r := range o.runs {
		if r.pid == group && !r.over {
			return false
		}
	}
	return true
}

// begin says that a slot is about to start an attempt. The answer is for started and end, which do nothing with nil.
func (o *orphans) begin(b birth, g *gauge) *run {
	if o == nil {
		return nil
	}
	r := &run{birth: b, gauge: g}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs[b.slot] = r
	return r
}

// started says which process the attempt is; 0: none.
func (o *orphans) started(r *run, pid int) {
	if r == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.pid = pid; pid == 0 {
		o.forget(r)
	}
}

// end kills what an attempt, of whose process group nothing is left, has left elsewhere, and returns when it is dead.
func (o *orphans) end(r *run) {
	if r == nil {
		return
	}
	const first, longest = 100 * time.Microsecond, 10 * time.Millisecond
	var waited time.Duration
	for pause := first; ; pause = min(2*pause, longest) {
		o.mu.Lock()
		r.over = true
		left, unsure := o.sweep(r)
		if left == 0 && !unsure || waited > gone {
			o.forget(r)
			o.mu.Unlock()
			if left > 0 {
				o.log.Error("killed, but processes remain that left their process group", "task", r.Task, "attempt", r.Attempt, "processes", left)
			}
			return
		}
		o.mu.Unlock()
		time.Sleep(pause)
		waited += pause
	}
}

// forget says that nobody needs to ask any more whether something is of the attempt.
func (o *orphans) forget(r *run) {
	if o.runs[r.slot] == r {
		delete(o.runs, r.slot)
	}
	for pid, k := range o.kin {
		if k.of == r {
			delete(o.kin, pid)
		}
	}
}

// sweep looks at all orphans once, and kills those of attempts that are over. It reports how many of one attempt's were
// alive, and whether that is not sure: it could not be told of some whose they are, or some were reaped. What one of
// those had started came to us as it died, which may have been after the list was read.
func (o *orphans) sweep(r *run) (left int, unsure bool) {
	pids := o.list()
	if len(pids) == 0 {
		return 0, false
	}
	unsure = o.meet(pids)
	var doomed []int
	for _, pid := range pids {
		k := o.known[pid]
		if !k.isOver() {
			continue
		}
		if o.bury(pid) {
			unsure = true
			continue
		}
		doomed = append(doomed, pid)
		if k.of == r || slices.Contains(k.could, r) {
			left++
		}
	}
	for _, pid := range doomed {
		_ = unix.Kill(pid, unix.SIGSTOP) // it starts no others while all are looked at
	}
	if len(doomed) > 0 {
		o.noteKin(doomed)
	}
	for _, pid := range doomed {
		_ = unix.Kill(-pid, unix.SIGKILL) // a group of that number is one that it has made
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	return left, unsure
}

// isOver reports whether it is to be killed: the attempts that it can be of are over.
func (k *orphan) isOver() bool {
	if k == nil {
		return false
	}
	if k.of != nil {
		return k.of.over
	}
	for _, r := range k.could {
		if !r.over {
			return false
		}
	}
	return len(k.could) > 0
}

// noteKin remembers what descends from orphans that are about to be killed: it will come to us.
func (o *orphans) noteKin(doomed []int) {
	all, _ := running()
	of := map[int]*run{}
	for _, pid := range doomed {
		k := o.known[pid]
		if of[pid] = k.of; k.of == nil {
			of[pid] = k.could[0]
		}
	}
	var find func(pid, depth int) *run
	find = func(pid, depth int) *run {
		if r, ok := of[pid]; ok || all[pid] == nil || depth > len(all) {
			return r
		}
		of[pid] = find(all[pid].parent, depth+1)
		return of[pid]
	}
	for pid, p := range all {
		if r := find(pid, 0); r != nil && p.parent != os.Getpid() {
			o.kin[pid] = kin{p.started, r}
		}
	}
}

// meet finds out whose the orphans are that were not seen before. It reports whether it must be asked again: some are just
// becoming other programs or ending, or are dead, which says nothing of what came from them.
func (o *orphans) meet(pids []int) (unsure bool) {
	fresh := map[int]*process{}
	for _, pid := range pids {
		if o.known[pid] != nil {
			continue
		}
		if p := stat(pid); p.isAlive() {
			fresh[pid] = p
		} else {
			o.bury(pid)
			unsure = true
		}
	}
	for pid, p := range fresh {
		r, known := o.whose(p)
		switch {
		case r != nil:
			o.known[pid] = &orphan{of: r, group: p.group, session: p.session}
			delete(fresh, pid)
		case !known:
			unsure = true
			delete(fresh, pid)
		}
	}
	for found := true; found; {
		found = false
		for pid, p := range fresh {
			if r := o.kinOf(p); r != nil {
				o.known[pid] = &orphan{of: r, group: p.group, session: p.session}
				delete(fresh, pid)
				found = true
			}
		}
	}
	for pid, p := range fresh {
		k := &orphan{group: p.group, session: p.session}
		for _, r := range o.runs {
			if p.started >= tick(r.before) {
				k.could = append(k.could, r)
			}
		}
		o.known[pid] = k
	}
	return unsure
}

// whose is the attempt that an orphan is seen to be of: it is in its process group, it was below a process of it, it
// carries the mark of its slot, or has its files or its folder. When none is known, and that can change, known is false.
func (o *orphans) whose(p *process) (r *run, known bool) {
	if k, ok := o.kin[p.pid]; ok && k.started == p.started {
		return k.of, true
	}
	for _, r := range o.runs {
		if p.group == r.pid && !r.over || r.gauge.has(p) {
			return r, true
		}
	}
	// The environment is asked for last, for it goes first when a process ends: while it is there, so are the others.
	var links *run
	for _, link := range []string{"cwd", "fd/0", "fd/1", "fd/2"} {
		path, _ := os.Readlink("/proc/" + strconv.Itoa(p.pid) + "/" + link)
		if links = o.at(path, p); links != nil {
			break
		}
	}
	env, known := p.environment()
	for e := range strings.SplitSeq(env, "\x00") {
		if path, ok := strings.CutPrefix(e, scratchMark); ok {
			if r := o.at(path, p); r != nil {
				return r, true
			}
		}
	}
	return links, known || links != nil
}

// at is the attempt of a slot that has a path, when an orphan was started; nil when no slot has it.
func (o *orphans) at(path string, p *process) *run {
	rest, ok := strings.CutPrefix(path, o.slots+"/")
	if !ok {
		rest, ok = strings.CutPrefix(path, o.guests+"/")
	}
	number, _, _ := strings.Cut(rest, "/")
	slot, err := strconv.Atoi(number)
	if !ok || err != nil {
		return nil
	}
	if r := o.runs[slot]; r != nil && p.started >= tick(r.before) {
		return r
	}
	return past
}

// past is an attempt that was over before: what is of it is killed when it is met.
var past = &run{over: true}

// kinOf is the attempt of an orphan in whose session or group it is. Nobody comes into those but by descent, and our own
// session is all attempts'.
func (o *orphans) kinOf(p *process) *run {
	for _, k := range o.known {
		if k.of != nil && (k.session == p.session && p.session != o.session || k.group == p.group && p.group != o.own) {
			return k.of
		}
	}
	return nil
}

// onMainThread reports whether the caller runs on the thread that orphans come to.
func onMainThread() bool { return unix.Gettid() == os.Getpid() }
