package crash_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// points are the places at which keeper and daemon are made to crash, in the order in which a task meets them.
var points = []string{
	"daemon: before keeper", "daemon: after keeper", "daemon: before opening", "daemon: after opening",
	"store: before commit", "store: after commit",
	"daemon: before start", "keeper: after start", "daemon: after start", "keeper: before fork", "keeper: after fork",
	"keeper: after exit", "keeper: artifact copied", "keeper: output settled", "keeper: before report", "keeper: before telling", "daemon: at report",
	"store: before artifact", "daemon: artifact kept", "daemon: output kept", "daemon: end recorded", "daemon: before forgetting", "keeper: before forgetting",
}

// TestCrashPoints crashes keeper or daemon at places of a task's way from its claim to the record of its end, and holds
// what then becomes of all jobs to the invariants of TestCrash. ROTA_SOAK=1 does it 20 times at
// each of them.
func TestCrashPoints(t *testing.T) {
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	path := buildWithPoints(t)
	times := length(20, 1, 1)
	every := length(1, 4, 8) // so many of the places are left to other runs
	first := int(seed(t) % uint64(every))
	for i, point := range points {
		if i%every != first {
			continue
		}
		for n := range times {
			if !t.Run(strings.ReplaceAll(point, ": ", "_"), func(t *testing.T) { crashAt(t, path, point, n) }) {
				return
			}
		}
	}
}

// buildWithPoints builds a binary that can be told to crash, or to be refused something.
func buildWithPoints(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rota")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", "crashpoints", "-o", path, "../cmd/rota")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// crashAt crashes at one of the first visits of a place, a later one as n grows, and judges. Where the jobs do not come
// there so often, chance has chosen too late a one, and an earlier one is taken.
func crashAt(t *testing.T, path, point string, n int) {
	runtime.LockOSThread()
	for most := 5 + 5*n; ; most /= 2 {
		if crashAtOneOf(t, path, point, most) {
			return
		}
		if most == 1 {
			t.Fatalf("%q was never reached", point)
		}
	}
}

// kindsFor are the kinds of jobs, and more of those that come to the place than others do.
func kindsFor(point string) []kind {
	all := slices.Clone(kinds)
	for i := range all {
		switch {
		case all[i].name == "leaver" && strings.Contains(point, "artifact"),
			all[i].name == "writer" && strings.Contains(point, "recorded"): // its files lie there until then
			all[i].weight *= 10
		}
	}
	return all
}

// crashAtOneOf reports whether the place was reached so often.
func crashAtOneOf(t *testing.T, path, point string, most int) bool {
	m := newMachine(t)
	m.rota = path
	mark := m.file("mark")
	visit := 1
	if !strings.Contains(point, "keeper:") && !strings.Contains(point, "opening") && !strings.HasSuffix(point, "keeper") {
		visit += m.random.IntN(most)
	} else if strings.HasPrefix(point, "keeper:") {
		visit += m.random.IntN(min(20, 4*most))
	}
	m.env = []string{"ROTA_CRASH_AT=" + point, "ROTA_CRASH_MARK=" + mark, "ROTA_CRASH_VISIT=" + strconv.Itoa(visit)}
	s := m.submitAll(m.client, m.plan(100, kindsFor(point)), 1)
	s.allow(0)
	l := m.start()
	for {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		_, reached := os.Stat(mark)
		if m.ctx.Err() != nil || isClosed(l.ended) && reached != nil {
			t.Fatalf("%q was not reached for the %dth time", point, visit)
		}
		if st, err := m.client.Status(m.ctx); err == nil && isClosed(s.acknowledged()) && st.Waiting == 0 && st.Running == 0 {
			t.Logf("%q was not reached for the %dth time", point, visit)
			s.settle()
			return false
		}
		m.pause(time.Millisecond)
	}
	if !strings.HasPrefix(point, "keeper:") {
		<-l.ended
		l = m.start()
	}
	m.untilUp(l)
	s.settle()
	return true
}
