package keeper

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// way is a means by which limits are held.
type way struct {
	name     string
	noGroups bool
}

var ways = []way{{"by control group", false}, {"by looking", true}}

// rig is a keeper that holds limits in that way; the test is skipped where it cannot hold those of a controller.
func (w way) rig(t *testing.T, slots int, controllers ...string) *rig {
	t.Helper()
	r := rigWith(t, Options{Dir: t.TempDir(), Slots: slots, NoGroups: w.noGroups})
	for _, c := range controllers {
		if l := r.local.limiter; !w.noGroups && !l.groups.has(c) && l.legacy[c] == nil {
			_, err := openLegacy(r.local.dir, c)
			t.Skipf("no control group here can hold limits of %s: %v; %v", c, l.groups.why, err)
		}
	}
	r.local.mu.Lock()
	r.local.meter.every = 20 * time.Millisecond
	r.local.mu.Unlock()
	return r
}

func TestD6LimitOfMemoryEndsTheAttempt(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, memoryController)
			limits := rota.Limits{Memory: 64 << 20}
			e := r.run(job(1, "hold 1000", limits))
			if e.Outcome != rota.OutcomeOutOfMemory || e.Signal != 9 || !strings.Contains(e.Reason, "64 MiB") {
				t.Errorf("%+v", e)
			}
			if w.noGroups {
				return // how much it had by then is not bounded
			}
			const kernel = 1 << 20 // it lets its own structures go beyond
			if e.Usage.Memory < 48<<20 || e.Usage.Memory > limits.Memory+kernel {
				t.Errorf("peak of %d bytes", e.Usage.Memory)
			}
		})
	}
}

// A main process that lives on, and one that even ends well, does not hide that what it started had too much.
func TestD6LimitOfMemoryIsOfAllProcessesTogether(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, memoryController)
			for i, text := range []string{"child 1000", "escape 1000"} {
				e := r.run(job(i+1, text, rota.Limits{Memory: 64 << 20}))
				if e.Outcome != rota.OutcomeOutOfMemory {
					t.Errorf("%s: %+v", text, e)
				}
				if pid, err := strconv.Atoi(strings.TrimSpace(r.output(e, rota.Stdout))); err == nil && w.noGroups {
					_ = unix.Kill(pid, unix.SIGKILL) // nobody follows it
				}
			}
		})
	}
}

func TestD6MemoryBelowItsLimitIsLeftAlone(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, memoryController)
			p := job(1, "hold 50", rota.Limits{Memory: 256 << 20})
			r.start(p)
			r.says(p.Try, rota.Stdout, "holds")
			until(t, "is measured", func() bool { s := r.Samples(); return len(s) == 1 && s[0].Memory >= 50<<20 })
			r.Stop(p.Try, true)
			if e := r.await(p.Try); e.Outcome != rota.OutcomeEnded || e.Usage.Memory < 50<<20 || e.Usage.Memory > 256<<20 {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestD6ALimitOfOneAttemptIsNotTheNextOnes(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, memoryController, pidsController, cpuController)
			all := rota.Limits{Memory: 256 << 20, PIDs: 30, CPUs: 0.5, Nice: 7}
			if e := r.run(job(1, "hold 1000", all)); e.Outcome != rota.OutcomeOutOfMemory {
				t.Fatalf("%+v", e)
			}
			if e := r.run(job(2, "exit 0", rota.Limits{})); e.Outcome != rota.OutcomeSucceeded || e.Usage.Memory > 128<<20 {
				t.Errorf("%+v", e)
			}
			if e := r.run(job(3, "nice", rota.Limits{})); r.output(e, rota.Stdout) != fmt.Sprintln(ownNice()) {
				t.Errorf("nice %s", r.output(e, rota.Stdout))
			}
			p := job(4, "hold 300", rota.Limits{})
			r.start(p)
			r.says(p.Try, rota.Stdout, "holds")
			if e := r.halt(p); e.Outcome != rota.OutcomeEnded {
				t.Errorf("%+v", e)
			}
			e := r.run(sh(5, "cat /proc/self/cgroup"))
			if text := r.output(e, rota.Stdout); e.Outcome == rota.OutcomeSucceeded && strings.Contains(text, ".limits") {
				t.Errorf("runs in the groups of another:\n%s", text)
			}
		})
	}
}

// halt ends an attempt that runs.
func (r *rig) halt(p executor.Process) executor.Exit {
	r.Helper()
	r.Stop(p.Try, true)
	return r.await(p.Try)
}

func TestD6LimitOfProcessesHoldsABomb(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, pidsController)
			e := r.run(job(1, "bomb 500", rota.Limits{PIDs: 50}))
			if e.Outcome != rota.OutcomeFailed || !strings.Contains(e.Reason, "limit") || !strings.Contains(e.Reason, "50") {
				t.Errorf("%+v", e)
			}
			if !w.noGroups {
				var made int
				if _, err := fmt.Sscanf(r.output(e, rota.Stdout), "made %d", &made); err != nil || made == 0 || made >= 50 {
					t.Errorf("it says %q", r.output(e, rota.Stdout))
				}
			}
			r.wantNoneOf(marks(r, 1))
		})
	}
}

// marks are what all processes of the slots carry.
func marks(r *rig, slots int) []string {
	var all []string
	for n := range slots {
		all = append(all, scratchMark+filepath.Join(r.local.dir, "slots", strconv.Itoa(n), "scratch"))
	}
	return all
}

func (r *rig) wantNoneOf(marks []string) {
	r.Helper()
	all, err := running()
	if err != nil {
		r.Fatal(err)
	}
	for _, p := range all {
		for _, m := range marks {
			if carries, _ := p.carries(m); carries {
				r.Errorf("process %d lives on", p.pid)
			}
		}
	}
}

func TestD6LimitOfOneProcessLetsItStart(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, pidsController)
			if e := r.run(command(1, "/bin/true")); e.Outcome != rota.OutcomeSucceeded {
				t.Skip("no program here has one thread only: ", e.Reason)
			}
			p := command(2, "/bin/true")
			p.Limits.PIDs = 1
			if e := r.run(p); e.Outcome != rota.OutcomeSucceeded {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestD6LimitOfCPUsThrottles(t *testing.T) {
	r := ways[0].rig(t, 1, cpuController)
	g, v1 := r.local.limiter.legacy[cpuController]
	dir := filepath.Join(r.local.groups.dir, "0.limits")
	if v1 {
		dir = filepath.Join(g.dir, "0.limits")
	}
	p := job(1, "burn "+filepath.Join(dir, "cpu.stat"), rota.Limits{CPUs: 0.1})
	r.start(p)
	text := r.says(p.Try, rota.Stdout, "throttled")
	if e := r.await(p.Try); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v, %s", e, text)
	}
	if !v1 {
		return
	}
	hold := job(2, "wait", rota.Limits{CPUs: 0.25})
	r.start(hold)
	until(t, "the quota is set", func() bool { return number(filepath.Join(dir, "cpu.cfs_quota_us")) == period/4 })
	if n := number(filepath.Join(dir, "cpu.cfs_period_us")); n != period {
		t.Errorf("period %d", n)
	}
	r.halt(hold)
}

func TestD6CPUsAreNotHeldByLooking(t *testing.T) {
	r := ways[1].rig(t, 1)
	if e := r.run(job(1, "exit 0", rota.Limits{CPUs: 0.1})); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	if !r.local.limiter.told[cpuController] {
		t.Error("nobody was told")
	}
}

func TestD6NiceHoldsFromTheBeginning(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1)
			for n := 1; n < 6; n++ {
				want, l := ownNice(), rota.Limits{}
				if n%2 == 1 {
					want = min(19, ownNice()+n)
					l.Nice = want
				}
				e := r.run(job(n, "nice", l))
				if got := r.output(e, rota.Stdout); got != fmt.Sprintln(want) {
					t.Errorf("%d: %s, want %d: %+v", n, got, want, e)
				}
			}
		})
	}
}

func TestD6EndsForWantOfMemoryAreToldApart(t *testing.T) {
	limits := rota.Limits{Memory: 64 << 20}
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 1, memoryController)
			for i, c := range []struct {
				name, text string
				limits     rota.Limits
				timeout    time.Duration
				outcome    rota.Outcome
				code       int // -1: none
				signal     int
				reason     string
			}{
				{"too much memory", "hold 1000", limits, 0, rota.OutcomeOutOfMemory, -1, 9, "out of memory: its processes"},
				{"137 of its own", "exit 137", limits, 0, rota.OutcomeFailed, 137, 0, "exit code 137"},
				{"137 of its own, without limits", "exit 137", rota.Limits{}, 0, rota.OutcomeFailed, 137, 0, "exit code 137"},
				{"KILL of somebody", "kill", limits, 0, rota.OutcomeFailed, -1, 9, "killed by signal 9 (killed): by somebody"},
				{"KILL of somebody, without limits", "kill", rota.Limits{}, 0, rota.OutcomeFailed, -1, 9, "killed by signal 9 (killed): by somebody"},
				{"time", "wait", limits, 50 * time.Millisecond, rota.OutcomeTimedOut, -1, 9, "timed out after 50ms"},
				{"success", "exit 0", limits, 0, rota.OutcomeSucceeded, 0, 0, ""},
			} {
				p := job(i+1, c.text, c.limits)
				p.Timeout, p.Grace = rota.Duration(c.timeout), 0
				e := r.run(p)
				code := -1
				if e.Code != nil {
					code = *e.Code
				}
				if e.Outcome != c.outcome || code != c.code || e.Signal != c.signal || !strings.HasPrefix(e.Reason, c.reason) {
					t.Errorf("%s: %s, code %d, signal %d: %q", c.name, e.Outcome, code, e.Signal, e.Reason)
				}
			}
		})
	}
}

// Memory that processes share is counted once before one is ended for it.
func TestD6SharedMemoryIsCountedOnce(t *testing.T) {
	r := ways[1].rig(t, 1)
	p := sh(1, "for i in 1 2 3 4; do "+jobOfTest+"='share 40' "+os.Args[0]+" & done; wait")
	if _, err := exec.LookPath("/bin/sh"); err != nil {
		t.Skip("no shell here: ", err)
	}
	p.Limits.Memory = 1 << 30
	r.start(p)
	until(t, "all are measured", func() bool { s := r.Samples(); return len(s) == 1 && s[0].Processes == 5 && s[0].Memory > 160<<20 })
	r.halt(p)
	var one, all looked
	one.of = []*process{look(os.Getpid())}
	all.of = append(one.of, one.of[0])
	if one.exactMemory() == 0 || one.exactMemory() > 2*one.of[0].memory {
		t.Errorf("%d bytes, and %d resident", one.exactMemory(), one.of[0].memory)
	}
}

func TestD6WhatRunsIsMeasuredAndWhatIsShortIsNot(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			r := w.rig(t, 2)
			if r.run(job(1, "exit 0", rota.Limits{})); len(r.Samples()) != 0 {
				t.Errorf("%v", r.Samples())
			}
			p := job(2, "hold 60", rota.Limits{})
			escaped := job(3, "escape 40", rota.Limits{})
			r.start(p, escaped)
			pid := pidIn(t, r.says(escaped.Try, rota.Stdout, "\n"))
			until(t, "both are measured", func() bool {
				s := r.Samples()
				return len(s) == 2 && s[0].Try == p.Try && s[0].Memory >= 60<<20 && s[0].Processes == 1 && s[0].CPU > 0 &&
					s[1].Memory >= 40<<20 && s[1].Processes == 2
			})
			r.Stop(p.Try, true)
			if e := r.await(p.Try); e.Usage.Memory < 60<<20 || e.Usage.Memory > 200<<20 {
				t.Errorf("peak of %d bytes", e.Usage.Memory)
			}
			r.halt(escaped)
			if w.noGroups {
				_ = unix.Kill(pid, unix.SIGKILL) // nobody follows it
			}
			if s := r.Samples(); len(s) != 0 {
				t.Errorf("ended, and measured as %v", s)
			}
			until(t, "nothing is measured any more", func() bool {
				r.local.mu.Lock()
				defer r.local.mu.Unlock()
				return r.local.meter.timer == nil
			})
		})
	}
}

func TestD6LimitsAndSamplesGoOverTheSocket(t *testing.T) {
	r := serve(t, t.TempDir(), 1).rig(t)
	p := job(1, "hold 40", rota.Limits{Memory: 1 << 30, PIDs: 100, Nice: 3})
	r.start(p)
	until(t, "is measured", func() bool {
		s := r.Samples()
		return len(s) == 1 && s[0].Try == p.Try && s[0].Memory >= 40<<20 && s[0].Processes == 1 && s[0].CPU > 0
	})
	r.halt(p)
	if e := r.run(job(2, "hold 1000", rota.Limits{Memory: 64 << 20})); e.Outcome != rota.OutcomeOutOfMemory || e.Usage.Memory < 48<<20 {
		t.Errorf("%+v", e)
	}
}

// TestD6TheNextKeeperRemovesGroupsOfLimits begins with what a keeper leaves that was killed.
func TestD6TheNextKeeperRemovesGroupsOfLimits(t *testing.T) {
	r := ways[0].rig(t, 1, memoryController)
	v1 := r.local.limiter.legacy[memoryController]
	if v1 == nil {
		t.Skip("the controllers are of version 2: TestP11TheNextKeeperKillsWhatIsInTheGroups")
	}
	g, err := v1.group("left")
	if err != nil {
		t.Fatal(err)
	}
	left := exec.Command("/proc/self/exe")
	left.Env = []string{jobOfTest + "=wait"}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = left.Process.Kill() })
	if err := put(g.file("cgroup.procs"), int64(left.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	again, err := openLegacy(r.local.dir, memoryController)
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("what was left: %v", err)
	}
	if _, err := os.Stat(again.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there, %v", again.dir, err)
	}
}

func TestD6NothingIsLeftOfTheGroupsOfLimits(t *testing.T) {
	r := ways[0].rig(t, 4, memoryController)
	for n := 1; n <= 40; n++ {
		r.start(job(n, "exit 0", rota.Limits{Memory: 256 << 20, PIDs: 100, CPUs: 1, Nice: 5}))
	}
	for n := 1; n <= 40; n++ {
		if e := r.await(try(n)); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("%+v", e)
		}
	}
	for _, v1 := range r.local.limiter.legacy {
		if entries, _ := os.ReadDir(v1.dir); foldersIn(entries) != 0 {
			t.Errorf("%s: %v", v1.dir, entries)
		}
		if threads, _ := os.ReadFile(filepath.Join(v1.dir, "tasks")); len(threads) > 0 {
			t.Errorf("threads of ours stayed: %s", threads)
		}
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tasks {
		tid, _ := strconv.Atoi(d.Name())
		if n, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && 20-n != ownNice() {
			t.Errorf("thread %d has nice %d", tid, 20-n)
		}
	}
}

func foldersIn(entries []os.DirEntry) (n int) {
	for _, e := range entries {
		if e.IsDir() {
			n++
		}
	}
	return n
}

func BenchmarkTrueWithLimits(b *testing.B) {
	for _, l := range []rota.Limits{{}, {Nice: 5}, {Memory: 1 << 30}, {Memory: 1 << 30, CPUs: 1, PIDs: 100}} {
		b.Run(fmt.Sprintf("%+v", l), func(b *testing.B) {
			k, err := New(Options{Dir: b.TempDir(), Slots: 4})
			if err != nil {
				b.Fatal(err)
			}
			defer k.Close()
			runTrue(b, k, l)
		})
	}
}

// Where no machine of the tests has controllers of version 2, this is what says that its files are written and read right.
func TestD6FilesOfVersion2(t *testing.T) {
	c := &confined{group: &group{dir: t.TempDir(), memory: 0}, limits: rota.Limits{Memory: 1 << 30, CPUs: 1.5, PIDs: 40}}
	for _, name := range []string{"memory.max", "memory.swap.max", "memory.oom.group", "cpu.max", "pids.max"} {
		if err := os.WriteFile(filepath.Join(c.group.dir, name), nil, 0o600); err != nil { // the kernel makes them
			t.Fatal(err)
		}
	}
	for _, controller := range []string{memoryController, cpuController, pidsController} {
		if err := c.limit(controller); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) string { return filepath.Join(c.group.dir, name) }
	for name, want := range map[string]string{"memory.max": "1073741824", "memory.swap.max": "0", "memory.oom.group": "1",
		"cpu.max": "150000 100000", "pids.max": "40"} {
		if text, err := os.ReadFile(file(name)); string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for name, text := range map[string]string{
		"memory.peak":   "1073741824\n",
		"memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 1\n",
		"memory.stat":   "anon 1000\nfile 5000\nkernel 200\nkernel_stack 7\nshmem 30\n",
		"pids.events":   "max 5\n",
		"io.stat":       "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n",
	} {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := death{usage: rota.Usage{Memory: 77, IORead: 88, IOWrite: 99}}
	c.account(&d)
	if d.lack != itsOwn || d.forks != 5 || d.usage != (rota.Usage{Memory: 1 << 30, IORead: 101, IOWrite: 22}) {
		t.Errorf("%+v", d)
	}
	if n, known := c.inUse(); n != 1230 || !known {
		t.Errorf("in use: %d, %v", n, known)
	}
	for _, l := range []struct {
		kills, reached int64
		want           lack
	}{{0, 5, nothing}, {1, 1, itsOwn}, {1, 0, machine}} {
		if got := lackOf(l.kills, l.reached); got != l.want {
			t.Errorf("%+v: %v", l, got)
		}
	}
}
