package keeper

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// groupRig is a keeper with control groups.
func groupRig(t *testing.T, slots int) *rig {
	t.Helper()
	r := newRig(t, slots)
	if r.local.groups.dir == "" {
		_, err := openGroups(r.local.dir)
		t.Skip("there are no control groups to be had here: ", err)
	}
	return r
}

// escapes are shell texts of processes that leave the group of their attempt, ignore TERM and tell their number in the
// file "pid". The attempt goes on when they have.
var escapes = map[string]string{
	"setsid":      `setsid sh -c 'trap "" TERM; echo $$ >pid.new; mv pid.new pid; while :; do sleep 10; done' &`,
	"double fork": `( ( trap "" TERM; exec setsid sh -c 'trap "" TERM HUP; echo $$ >pid.new; mv pid.new pid; exec sleep 100' ) & ) &`,
	"many":        `setsid sh -c 'trap "" TERM; for i in 1 2 3 4 5 6 7 8; do setsid sleep 100 & done; echo $$ >pid.new; mv pid.new pid; wait' &`,
}

const untilEscaped = `
	while [ ! -e pid ]; do sleep 0.01; done
	`

// wantDead reads the number of the escaped process and demands that it is dead, and the group empty.
func (r *rig) wantDead(dir string) {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		r.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || isAlive(pid) {
		r.Errorf("process %d lives on, %v", pid, err)
	}
	events, err := os.ReadFile(filepath.Join(r.local.groups.dir, "cgroup.events"))
	if err != nil || !strings.Contains(string(events), "populated 0") {
		r.Errorf("the groups: %q, %v", events, err)
	}
}

func TestP12NothingEscapesItsControlGroup(t *testing.T) {
	for name, escape := range escapes {
		t.Run(name, func(t *testing.T) {
			r := groupRig(t, 1)
			for n, c := range []struct {
				text string
				want rota.Outcome
			}{
				{"echo fine", rota.OutcomeSucceeded},
				{"exit 3", rota.OutcomeFailed},
				{"sleep 100", rota.OutcomeEnded},
				{"trap '' TERM; while :; do sleep 0.01; done", rota.OutcomeTimedOut},
			} {
				p := sh(n+1, escape+untilEscaped+"echo > ready; "+c.text)
				p.Dir = t.TempDir()
				ready := filepath.Join(p.Dir, "ready")
				if c.want == rota.OutcomeTimedOut {
					p.Timeout, p.Grace = rota.Duration(3e8), rota.Duration(1e7)
				}
				if c.want == rota.OutcomeEnded {
					if err := unix.Mkfifo(ready, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				r.start(p)
				if c.want == rota.OutcomeEnded {
					if _, err := os.ReadFile(ready); err != nil { // returns when it was written
						t.Fatal(err)
					}
					r.Stop(p.Try, false)
				}
				if e := r.await(p.Try); e.Outcome != c.want {
					t.Errorf("%s: %+v", c.text, e)
				}
				if _, err := os.Stat(filepath.Join(p.Dir, "pid")); err == nil || c.want != rota.OutcomeTimedOut {
					r.wantDead(p.Dir)
				}
			}
			if out := r.run(sh(9, "cat /proc/self/cgroup")); !strings.Contains(r.output(out, rota.Stdout), filepath.Base(r.local.groups.dir)+"/0") {
				t.Errorf("it runs in %s", r.output(out, rota.Stdout))
			}
		})
	}
}

// TestP11TheNextKeeperKillsWhatIsInTheGroups begins with what a keeper leaves that was killed.
func TestP11TheNextKeeperKillsWhatIsInTheGroups(t *testing.T) {
	r := groupRig(t, 1)
	g, err := r.local.groups.slot("left")
	if err != nil {
		t.Fatal(err)
	}
	attr := *g.attr
	attr.Pdeathsig, attr.Setsid, attr.Setpgid = 0, true, false
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "trap '' TERM; while :; do sleep 10; done"}, &syscall.ProcAttr{Sys: &attr})
	g.close()
	if err != nil {
		t.Fatal(err)
	}
	dead := make(chan struct{})
	go func() {
		defer close(dead)
		for {
			if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
				return
			}
		}
	}()
	if _, err := Recover(r.local.dir, r.local.log); err != nil {
		t.Fatal(err)
	}
	<-dead
	if _, err := os.Stat(r.local.groups.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the groups are still there: %v", err)
	}
}
