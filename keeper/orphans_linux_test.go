package keeper

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/executor"
)

// eachWay runs a test of a keeper that is a process of its own, with control groups and without.
func eachWay(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("control groups", func(t *testing.T) {
		if _, err := openGroups(t.TempDir()); err != nil {
			t.Skip("there are no control groups to be had here: ", err)
		}
		_, r := startApart(t, privateDir(t))
		test(t, r)
		r.endApart()
	})
	t.Run("none", func(t *testing.T) {
		_, r := startApart(t, privateDir(t), apartNoGroups+"=1")
		test(t, r)
		r.endApart()
	})
}

// endApart ends a keeper that nothing is left of.
func (r *rig) endApart() {
	r.Helper()
	pid := r.remote().Hello().PID
	for left := childrenOf(pid); len(left) > 0; left = childrenOf(pid) {
		if len(alive(left)) > 0 {
			r.Errorf("the keeper still has the processes %v", left)
			break
		}
		until(r.T, "the keeper reaps what came to it", func() bool { return len(childrenOf(pid)) == 0 })
	}
	if err := r.remote().End(); err != nil {
		r.Error(err)
	}
}

// childrenOf are the children of all threads, be they dead.
func childrenOf(pid int) (pids []int) {
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(text)) {
			n, _ := strconv.Atoi(word)
			pids = append(pids, n)
		}
	}
	return pids
}

func alive(pids []int) (left []int) {
	for _, pid := range pids {
		if isAlive(pid) {
			left = append(left, pid)
		}
	}
	return left
}

// toolbox is a folder with programs whose processes are known by it: it stands in their arguments.
type toolbox struct{ dir string }

func newToolbox(t *testing.T) toolbox {
	t.Helper()
	b := toolbox{t.TempDir()}
	for _, name := range []string{"sh", "sleep"} {
		if err := os.Symlink("/bin/"+name, filepath.Join(b.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		// Each goes to a session of its own, starts the next and ends. The count keeps a fault from filling the machine.
		"chain":  `trap "" TERM HUP; n=$1; test $n -gt 0 || exec $0/../sleep 1000; setsid /bin/sh $0 $((n-1)) &`,
		"forget": `trap "" TERM HUP; n=$1; test $n -gt 0 || exec ${0%/*}/sleep 1000; env -i PATH=$PATH setsid /bin/sh $0 $((n-1)) &`,
		// Each starts two of the next and stays.
		"tree": `trap "" TERM HUP; n=$1; test $n -gt 0 || exec ${0%/*}/sleep 1000; setsid /bin/sh $0 $((n-1)) & setsid /bin/sh $0 $((n-1)) & wait`,
	} {
		text = strings.ReplaceAll(text, "$0/../sleep", "${0%/*}/sleep")
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// text replaces @ by the folder.
func (b toolbox) text(s string) string { return strings.ReplaceAll(s, "@", b.dir+"/") }

// survivors are the processes that live of all that were started with something of the folder.
func (b toolbox) survivors() (found []string) {
	all, _ := running()
	for pid := range all {
		args, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if strings.Contains(string(args), b.dir) {
			found = append(found, strconv.Itoa(pid)+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

// getaways are texts of commands whose processes leave the group of their attempt, and have done so when they return.
var getaways = map[string]string{
	"the same group":  `(trap "" TERM HUP; exec @sleep 1000) &`,
	"setsid":          `setsid @sh -c 'trap "" TERM HUP; : >away; @sleep 1000; :' & `,
	"double fork":     `( ( trap "" TERM HUP; exec setsid @sh -c ': >away; exec @sleep 1000' ) & ) &`,
	"daemon":          `setsid @sh -c 'trap "" TERM HUP; (: >away; @sleep 1000; :) & exit 0' </dev/null >/dev/null 2>&1 &`,
	"no mark":         `setsid env -i @sh -c 'trap "" TERM HUP; (: >away; @sleep 1000; :) & exit 0' &`,
	"job control":     `@sh -c 'set -m; trap "" TERM HUP; @sleep 1000 & : >away' &`,
	"many":            `setsid @sh -c 'trap "" TERM HUP; for i in 1 2 3 4 5 6 7 8; do setsid @sleep 1000 & done; : >away; wait' &`,
	"without an end":  `setsid /bin/sh @chain 100000 & : >away`,
	"no mark, no end": `env -i PATH=$PATH setsid /bin/sh @forget 100000 & : >away`,
	"a tree":          `setsid /bin/sh @tree 5 & : >away`,
	"output held":     `setsid @sh -c 'trap "" TERM HUP; echo held; : >away; while :; do echo more; @sleep 0.01; done' &`,
}

const untilAway = `
	while ! test -e away; do sleep 0.01; done
	`

// ways of ending, each with the outcome that it has.
var endings = map[string]struct {
	text string
	want rota.Outcome
}{
	"success": {"exit 0", rota.OutcomeSucceeded},
	"failure": {"exit 3", rota.OutcomeFailed},
	"stopped": {"echo up; exec @sleep 1000", rota.OutcomeEnded},
	"ignores": {`trap "" TERM; echo up; while :; do @sleep 0.02; done`, rota.OutcomeEnded},
	"killed":  {`trap "" TERM; echo up; while :; do @sleep 0.02; done`, rota.OutcomeEnded},
}

func TestP12I6NothingOfAnAttemptIsLeftWhereverItHides(t *testing.T) {
	const grace = 100 * time.Millisecond
	eachWay(t, func(t *testing.T, r *rig) {
		n, longest := 0, time.Duration(0)
		for name, text := range getaways {
			for ending, c := range endings {
				n++
				b := newToolbox(t)
				started := ""
				if text != getaways["the same group"] {
					started = untilAway
				}
				p := sh(n, b.text(text+started+c.text))
				p.Grace = rota.Duration(grace)
				r.start(p)
				var asked rota.Elapsed
				if c.want == rota.OutcomeEnded {
					r.says(p.Try, rota.Stdout, "up")
					asked = clock.Elapsed()
					r.Stop(p.Try, ending == "killed")
				}
				e := r.await(p.Try)
				if e.Outcome != c.want {
					t.Errorf("%s, %s: %+v", name, ending, e)
				}
				if left := b.survivors(); len(left) > 0 {
					t.Errorf("%s, %s: %d are left when the end is told: %q", name, ending, len(left), left[0])
				}
				if asked > 0 {
					longest = max(longest, e.Ended.Sub(asked))
				}
				r.Forget([]rota.Try{p.Try})
			}
		}
		t.Logf("%d attempts; from the request to the end at most %v, with a grace of %v", n, longest, grace)
		most := grace + 5*time.Second
		if os.Getenv("ROTA_SOAK") == "1" { // the machine is the test's alone
			most = grace + time.Second
		}
		if longest > most {
			t.Errorf("an attempt took %v to end, with a grace of %v", longest, grace)
		}
	})
}

func TestP12AForkBombEndsWithItsAttempt(t *testing.T) {
	_, r := startApart(t, privateDir(t))
	for i, text := range []string{"(f() { f | f & }; f) & exec @sleep 1000", "setsid /bin/sh -c 'f() { f | f & }; f; exec @sleep 1000' & exec @sleep 1000"} {
		b := newToolbox(t)
		p := sh(i+1, "echo up; "+b.text(text))
		p.Limits.PIDs = 40
		p.Grace = rota.Duration(100 * time.Millisecond)
		r.start(p)
		r.says(p.Try, rota.Stdout, "up")
		r.says(p.Try, rota.Stderr, "ork") // cannot fork
		asked := clock.Elapsed()
		r.Stop(p.Try, false)
		e := r.await(p.Try)
		if left := b.survivors(); len(left) > 0 || e.Outcome != rota.OutcomeEnded {
			t.Errorf("%+v, and %d processes are left", e, len(left))
		}
		t.Logf("it took %v to end", e.Ended.Sub(asked))
	}
	r.endApart()
}

// TestP12OthersAreLeftAlone: what is of another attempt lives as long as that, also when nothing says whose it is.
func TestP12OthersAreLeftAlone(t *testing.T) {
	eachWay(t, func(t *testing.T, r *rig) {
		for name, hides := range map[string]string{
			"marked":                    `setsid @sh -c 'trap "" TERM HUP; (: >away; @sleep 1000; :) & exit 0' &`,
			"unmarked, with its output": `setsid env -i @sh -c 'trap "" TERM HUP; (: >away; cd /; @sleep 1000; :) & exit 0' &`,
			"unmarked, in its folder":   `setsid env -i @sh -c 'trap "" TERM HUP; (: >away; @sleep 1000; :) & exit 0' <&- >/dev/null 2>&1 &`,
		} {
			t.Run(name, func(t *testing.T) {
				base := len(r.Held()) * 100
				b := newToolbox(t)
				long := sh(base+1, b.text(hides+untilAway+"echo up; exec @sleep 1000"))
				r.start(long)
				r.says(long.Try, rota.Stdout, "up")
				const processes = 3
				until(t, "all of it are there", func() bool { return len(b.survivors()) == processes })
				for n := range 20 {
					other := newToolbox(t)
					p := sh(base+2+n, other.text(hides+untilAway))
					if e := r.run(p); e.Outcome != rota.OutcomeSucceeded {
						t.Errorf("%+v", e)
					}
					if left := other.survivors(); len(left) > 0 {
						t.Errorf("left of another: %q", left)
					}
				}
				if left := b.survivors(); len(left) != processes {
					t.Errorf("of the long one's %d processes there are after others ended: %q", processes, left)
				}
				r.Stop(long.Try, true)
				if e := r.await(long.Try); e.Outcome != rota.OutcomeEnded {
					t.Errorf("%+v", e)
				}
				if left := b.survivors(); len(left) > 0 {
					t.Errorf("left: %q", left)
				}
			})
		}
	})
}

// TestP12WhatNothingTellsOfEndsWithTheLastThatItCanBeOf: it has no mark, no file and no folder of its attempt's, left its
// group, and its parent is dead.
func TestP12WhatNothingTellsOfEndsWithTheLastThatItCanBeOf(t *testing.T) {
	_, r := startApart(t, privateDir(t), apartNoGroups+"=1")
	r.start(sh(1, "echo up; exec sleep 1000"))
	r.says(try(1), rota.Stdout, "up")
	b := newToolbox(t)
	text := b.text(`setsid env -i @sh -c 'trap "" TERM HUP; (: >away; cd /; @sleep 1000; :) & exit 0' <&- >/dev/null 2>&1 &` + untilAway)
	n := 2
	for ; ; n++ { // on a busy machine it may have been seen while its parent lived, and is known then
		if e := r.run(sh(n, text)); e.Outcome != rota.OutcomeSucceeded {
			t.Errorf("%+v", e)
		}
		if left := b.survivors(); len(left) > 0 {
			break
		}
		if n == 30 {
			t.Fatal("it was known whose it is: this test shows nothing")
		}
	}
	if e := r.run(sh(n+1, "true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	r.Stop(try(1), true)
	r.await(try(1))
	if left := b.survivors(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	r.endApart()
}

// TestP12ReapingTakesNoExitCode: attempts end by the hundred while orphans come and die all the time.
func TestP12ReapingTakesNoExitCode(t *testing.T) {
	eachWay(t, func(t *testing.T, r *rig) {
		const attempts = 600
		ps := make([]executor.Process, attempts)
		for n := range ps {
			text := "(true &) ; (setsid true &) ; (sleep 0.01 &) ; exit " + strconv.Itoa(n%120)
			ps[n] = sh(n+1, text)
		}
		r.start(ps...)
		for n := range ps {
			e := r.await(ps[n].Try)
			if e.Code == nil || *e.Code != n%120 {
				t.Errorf("%d: %+v", n, e)
			}
		}
	})
}

// TestP12WhatIsReapedInALookMayHaveLeftOthers: an orphan dies after the list was read, and what it had started comes to the
// keeper after that too. A look that finds nobody else alive is not the last one.
func TestP12WhatIsReapedInALookMayHaveLeftOthers(t *testing.T) {
	for name, known := range map[string]bool{"killed before": true, "never seen alive": false} {
		t.Run(name, func(t *testing.T) {
			parent := exec.Command("/bin/true")
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			until(t, "it is dead", func() bool { return !isAlive(parent.Process.Pid) })

			r := &run{over: true}
			o := &orphans{own: unix.Getpgrp(), runs: map[int]*run{1: r}, known: map[int]*orphan{}, kin: map[int]kin{}, text: make([]byte, 4096)}
			if known {
				o.known[parent.Process.Pid] = &orphan{of: r}
			}
			look := func(list string) (left int, unsure bool) {
				file := filepath.Join(t.TempDir(), "children")
				if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				o.children = int(f.Fd())
				return o.sweep(r)
			}
			if left, unsure := look(strconv.Itoa(parent.Process.Pid) + " "); left != 0 || !unsure {
				t.Errorf("a look that reaped one: %d left, unsure %v", left, unsure)
			}
			if left, unsure := look(""); left != 0 || unsure {
				t.Errorf("a look at nothing: %d left, unsure %v", left, unsure)
			}
		})
	}
}
