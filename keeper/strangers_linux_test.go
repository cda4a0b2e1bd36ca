package keeper

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// TestP11AGroupWhoseLeaderWasReapedIsNotSignalled: its number may be a stranger's, even one whose own leader is dead.
func TestP11AGroupWhoseLeaderWasReapedIsNotSignalled(t *testing.T) {
	group, pid := strange{orphan: true}.start(t, "")
	w := watch{pid: group, reaped: true, why: stopped}
	w.end(stopped, true)
	for range 20 { // a signal takes its time
		if err := exec.Command("/bin/true").Run(); err != nil {
			t.Fatal(err)
		}
	}
	if !isAlive(pid) {
		t.Error("a stranger was killed")
	}
}

// fewNumbers marks the test binary as one in a namespace of processes with few numbers.
const fewNumbers = "KEEPER_TEST_FEW_NUMBERS"

// mostNumbers is how high numbers go there; the kernel uses those from 300 on again.
const mostNumbers = 440

// TestP11NoStrangerIsSignalledThoughNumbersAreUsedAgain runs attempts of all kinds, which end in all ways, beside strangers
// that come and go, where each number is used again after some hundred processes.
func TestP11NoStrangerIsSignalledThoughNumbersAreUsedAgain(t *testing.T) {
	if os.Getenv(fewNumbers) == "" {
		runWithFewNumbers(t)
		return
	}
	if err := os.WriteFile("/proc/sys/kernel/pid_max", []byte(strconv.Itoa(mostNumbers)), 0); err != nil {
		t.Fatal(err)
	}
	attempts := 320
	if os.Getenv("ROTA_SOAK") == "1" {
		attempts = 3000
	}
	eachWay(t, func(t *testing.T, r *rig) {
		s := newStrangers(t, 24)
		const atOnce = 8
		var wants [atOnce]int
		for n := 0; n < attempts; n += atOnce {
			ps := make([]executor.Process, atOnce)
			for i := range ps {
				ps[i], wants[i] = mixed(n+i+1, i)
			}
			r.start(ps...)
			for i, p := range ps {
				if wants[i] < 0 {
					r.says(p.Try, rota.Stdout, "up")
					r.Stop(p.Try, i%2 == 0)
				}
			}
			s.change()
			for i, p := range ps {
				switch e := r.await(p.Try); {
				case wants[i] < 0 && e.Outcome != rota.OutcomeEnded:
					t.Errorf("%+v", e)
				case wants[i] >= 0 && (e.Code == nil || *e.Code != wants[i]):
					t.Errorf("%+v, and its code should be %d", e, wants[i])
				}
				r.Forget([]rota.Try{p.Try})
			}
			s.check()
		}
		t.Logf("%d attempts and %d strangers; the numbers began anew %d times", attempts, s.began, s.anew)
		if s.anew < 5 {
			t.Error("numbers were hardly used again: this test shows nothing")
		}
	})
}

// mixed is an attempt of one of several kinds, and the code it ends with; -1: it is to be stopped.
func mixed(n, kind int) (executor.Process, int) {
	p, code := command(n, "/bin/true"), 0
	switch kind {
	case 1:
		code = n % 100
		p = sh(n, "(true &); exit "+strconv.Itoa(code))
	case 2:
		p = sh(n, "sleep 1000 & setsid sleep 1000 & exit 0")
	case 3: // its leader dies of TERM, and the rest has its grace
		p, code = sh(n, "(trap 'sleep 0.01; exit 0' TERM; echo up; while :; do sleep 0.01; done) & wait"), -1
	case 4:
		p, code = sh(n, "trap '' TERM; (setsid sleep 1000 &); echo up; while :; do sleep 0.01; done"), -1
	case 5:
		p, code = sh(n, "trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.01; done"), -1
		p.Grace = aMoment
	case 6:
		p, code = sh(n, "(true &); (setsid true &); exit 7"), 7
	case 7:
		p = sh(n, "sleep 1000 & exit 0")
		p.Limits.PIDs = 20
	}
	return p, code
}

// strangers are processes that are nobody's business: each in a group of its own, every other one without a leader.
type strangers struct {
	*testing.T
	all   []stranger
	began int
	last  int // number
	anew  int // how often a number was lower than the one before
}

type stranger struct {
	leader *exec.Cmd
	pid    int
	begun  int64
}

func newStrangers(t *testing.T, n int) *strangers {
	s := &strangers{T: t}
	for range n {
		s.all = append(s.all, s.start())
	}
	t.Cleanup(func() {
		for _, x := range s.all {
			s.end(x)
		}
	})
	return s
}

func (s *strangers) start() stranger {
	s.Helper()
	text := "echo $$; exec sleep 1000"
	if s.began%2 == 0 {
		text = "sleep 1000 >/dev/null & echo $!"
	}
	s.began++
	c := exec.Command("/bin/sh", "-c", text)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		s.Fatal(err)
	}
	line := make([]byte, 16)
	n, _ := out.Read(line)
	x := stranger{leader: c, pid: pidIn(s.T, string(line[:n]))}
	if x.pid != c.Process.Pid {
		_ = c.Wait()
	}
	p := look(x.pid)
	if p == nil {
		s.Fatal("a stranger is dead at once")
	}
	x.begun = p.started
	if c.Process.Pid < s.last {
		s.anew++
	}
	s.last = c.Process.Pid
	return x
}

// check demands that all live.
func (s *strangers) check() {
	s.Helper()
	for i, x := range s.all {
		if p := look(x.pid); p == nil || p.started != x.begun || p.state == 'T' {
			s.Errorf("stranger %d of group %d is dead or stopped: %+v", x.pid, x.leader.Process.Pid, p)
			s.all[i] = s.start()
		}
	}
}

// change ends one, by its own number, and starts another.
func (s *strangers) change() {
	i := s.began % len(s.all)
	s.end(s.all[i])
	s.all[i] = s.start()
}

func (s *strangers) end(x stranger) {
	_ = unix.Kill(x.pid, unix.SIGKILL)
	if x.pid == x.leader.Process.Pid {
		_ = x.leader.Wait()
	}
}

// runWithFewNumbers runs the test in a namespace of its own. Before Linux 6.14 the numbers of one are those of the machine.
func runWithFewNumbers(t *testing.T) {
	t.Helper()
	var name unix.Utsname
	var major, minor int
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Sscanf(string(name.Release[:]), "%d.%d", &major, &minor)
	if major < 6 || major == 6 && minor < 14 {
		t.Skipf("Linux %d.%d: how high numbers go is the same for all namespaces", major, minor)
	}
	if out, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("no namespace of processes can be made here: %v: %s", err, bytes.TrimSpace(out))
	}
	c := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c", `"$@"; exit $?`, "sh",
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), fewNumbers+"=1")
	out, err := c.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.Contains(line, "attempts and") || strings.Contains(line, "--- SKIP") {
			t.Log(strings.TrimSuffix(line, "\n"))
		}
	}
	if err != nil {
		t.Error(err)
	}
}
