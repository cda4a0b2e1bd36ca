package crash_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota/jar"
)

// jarPoints are the places at which a worker of a jar is made to crash, in the order in which a job meets them.
var jarPoints = []string{
	"jar: before claim", "jar: moved", "jar: shown", "keeper: before fork", "keeper: after fork", "keeper: after exit",
	"keeper: before report", "jar: exit kept", "jar: name taken", "jar: completed", "jar: unlinked",
}

// jarTest is a jar with jobs that write down that they run.
type jarTest struct {
	*testing.T
	jar.Jar
	rota   string
	runs   string // a line for each begin of a job
	random *rand.Rand
}

func newJar(t *testing.T, rota string) *jarTest {
	dir := t.TempDir()
	n := seed(t)
	j := &jarTest{T: t, Jar: jar.At(filepath.Join(dir, "jar")), rota: rota, runs: filepath.Join(dir, "runs"), random: rand.New(rand.NewPCG(n, n))}
	j.must(j.Make())
	return j
}

func (j *jarTest) must(err error) {
	j.Helper()
	if err != nil {
		j.Fatal(err)
	}
}

// fill puts jobs into the jar, in three categories and several priorities. RUNS in the script is the file of the runs.
func (j *jarTest) fill(n int, script string) (names []string) {
	script = "#!/bin/sh\n" + strings.ReplaceAll(script, "RUNS", j.runs)
	for i := range n {
		name := fmt.Sprintf("job%06d.%d", i, i%5)
		folder := filepath.Join(j.Unclaimed(), []string{"", "A", "B"}[i%3])
		if i < 3 {
			j.must(os.MkdirAll(folder, 0o755))
		}
		path := filepath.Join(j.Limbo(), name)
		j.must(os.WriteFile(path, []byte(script), 0o755))
		j.must(os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
		j.must(os.Rename(path, filepath.Join(folder, name)))
		names = append(names, name)
	}
	return names
}

func (j *jarTest) command(args ...string) *exec.Cmd {
	cmd := exec.Command(j.rota, append([]string{"jar"}, args...)...)
	cmd.Env = append(os.Environ(), "JJ_HOME="+j.Home, "JJ_NODE=rain", "JJ_PAUSE_TIME=0.02", "HOME="+j.Home)
	return cmd
}

// worker starts a worker, which is killed when the test has ended.
func (j *jarTest) worker(env ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := j.command("worker", "--foreground", "A", "B")
	cmd.Env = append(cmd.Env, env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	j.must(cmd.Start())
	j.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, &said
}

func (j *jarTest) recover() string {
	out, err := j.command("recover").CombinedOutput()
	if err != nil {
		j.Errorf("recover: %v\n%s", err, out)
	}
	return string(out)
}

// awaitAll waits until so many jobs have ended.
func (j *jarTest) awaitAll(n int, each func()) {
	j.Helper()
	late := time.After(5*time.Minute + time.Duration(n)*10*time.Millisecond)
	// A look at a jar with many jobs takes its time, too.
	for tick := time.NewTicker(max(10*time.Millisecond, time.Duration(n)*10*time.Microsecond)); ; {
		s, err := j.Status(jar.Here("rain"))
		j.must(err)
		if s.Completed >= n {
			tick.Stop()
			return
		}
		select {
		case <-late:
			j.Fatalf("of %d jobs %+v", n, s)
		case <-tick.C:
			each()
		}
	}
}

// counts are how often each job has run.
func (j *jarTest) counts() map[string]int {
	text, err := os.ReadFile(j.runs)
	j.must(err)
	counts := map[string]int{}
	for name := range strings.FieldsSeq(string(text)) {
		counts[name]++
	}
	return counts
}

// names are the jobs in a folder and those directly below it.
func (j *jarTest) names(folder string) (names []string) {
	for _, pattern := range []string{"job*", "*/job*"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		j.must(err)
		for _, path := range found {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// TestJarCrashPoints makes a worker crash at each place of a job's way, and then lets three recover at the same time:
// each job is in exactly one place, has run at most once more than once, and not again once its end was kept.
func TestJarCrashPoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rota")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", "crashpoints", "-o", path, "../cmd/rota")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, point := range jarPoints {
		for range length(20, 1, 1) {
			t.Run(strings.ReplaceAll(point, ": ", "_"), func(t *testing.T) { jarCrashAt(t, path, point) })
		}
	}
}

func jarCrashAt(t *testing.T, path, point string) {
	j := newJar(t, path)
	const n = 12
	all := j.fill(n, "echo $JJ_JOB >> RUNS\nsleep 0 &\n")
	mark := filepath.Join(t.TempDir(), "mark")
	visit := 1 + j.random.IntN(n-2)
	worker, said := j.worker("ROTA_CRASH_AT="+point, "ROTA_CRASH_MARK="+mark, "ROTA_CRASH_VISIT="+strconv.Itoa(visit))
	_ = worker.Wait()
	if status, ok := worker.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("%q was not reached for the %dth time: %v\n%s", point, visit, worker.ProcessState, said)
	}
	var recovering sync.WaitGroup
	for range 3 {
		recovering.Go(func() { j.recover() })
	}
	recovering.Wait()
	where := append(j.names(j.Unclaimed()), j.names(j.Completed())...)
	slices.Sort(where)
	if !slices.Equal(where, all) {
		t.Errorf("jobs are %q, want each of %q once", where, all)
	}
	if links := j.names(j.Claimed()); len(links) > 0 {
		t.Errorf("links that lead nowhere: %q", links)
	}
	ended := len(j.names(j.Completed()))
	if least := visit - 1; ended < least || ended > visit {
		t.Errorf("%d have ended, and it crashed at the %dth", ended, visit)
	}
	next, said := j.worker()
	j.awaitAll(n, func() {})
	counts := j.counts()
	twice := 0
	for _, name := range all {
		switch counts[name] {
		case 1:
		case 2:
			twice++
		default:
			t.Errorf("%s ran %d times", name, counts[name])
		}
	}
	most := 0
	if slices.Contains([]string{"keeper: after fork", "keeper: after exit", "keeper: before report"}, point) {
		most = 1 // cut off before its end was kept
	}
	if twice > most || len(counts) != n {
		t.Errorf("%d of %d jobs ran twice, want at most %d", twice, len(counts), most)
	}
	j.stop(next, said)
	j.checkEnds(all)
}

// stop stops a worker, and waits for its end.
func (j *jarTest) stop(worker *exec.Cmd, said *bytes.Buffer) {
	if out, err := j.command("stop", "all").CombinedOutput(); err != nil {
		j.Errorf("stop: %v\n%s", err, out)
	}
	if err := worker.Wait(); err != nil {
		j.Errorf("the worker: %v\n%s", err, said)
	}
}

// checkEnds wants each job in the completed jar, with the code 0 beside it and nothing else.
func (j *jarTest) checkEnds(all []string) {
	var want []string
	for _, name := range all {
		want = append(want, name, "."+name+".exit")
		if text, err := os.ReadFile(filepath.Join(j.Completed(), "."+name+".exit")); err != nil || string(text) != "0\n" {
			j.Errorf("%s: code %q, %v", name, text, err)
		}
	}
	entries, err := os.ReadDir(j.Completed())
	j.must(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		j.Errorf("completed are %q, want %q", got, want)
	}
}

// TestJarKills kills workers again and again while others work and recover: every job ends once, none is lost, and none
// runs while it runs already.
func TestJarKills(t *testing.T) {
	j := newJar(t, rotaPath)
	locks := filepath.Join(t.TempDir(), "locks")
	j.must(os.Mkdir(locks, 0o755))
	n := length(5000, 120, 60)
	// Whoever has the lock runs. What hides in another session holds it too, as long as it lives.
	all := j.fill(n, fmt.Sprintf("exec 9>%s/$JJ_JOB\nflock -n 9 || echo overlap-$JJ_JOB >> RUNS\necho $JJ_JOB >> RUNS\nsetsid sleep 0.03 &\nsleep 0.01\n", locks))
	workers := map[*exec.Cmd]*bytes.Buffer{}
	start := func() {
		w, said := j.worker()
		workers[w] = said
	}
	for range 3 {
		start()
	}
	kills := 0
	j.awaitAll(n, func() {
		if j.random.IntN(12) == 0 {
			victims := slices.Collect(maps.Keys(workers))
			victim := victims[j.random.IntN(len(victims))]
			_ = victim.Process.Kill()
			_ = victim.Wait()
			delete(workers, victim)
			kills++
			start()
		}
		if j.random.IntN(8) == 0 {
			j.recover()
		}
	})
	t.Logf("%d workers were killed", kills)
	if kills == 0 {
		t.Error("nobody was killed")
	}
	for w, said := range workers {
		j.stop(w, said)
	}
	j.recover()
	counts, runs := j.counts(), 0
	for _, name := range all {
		if counts["overlap-"+name] > 0 {
			t.Errorf("%s ran while it ran", name)
		}
		if counts[name] == 0 {
			t.Errorf("%s is lost", name)
		}
		runs += counts[name]
	}
	if runs > n+kills {
		t.Errorf("%d runs of %d jobs with %d kills", runs, n, kills)
	}
	j.checkEnds(all)
}

// TestJarOfTwoHosts lets workers of two hosts work on one jar: none of the jobs is run twice, none is lost. Each host has
// its own name and its own numbers of processes where such can be made (as root); else they differ by JJ_NODE. ROTA_SOAK=1
// makes it 100,000 jobs and 32 workers.
func TestJarOfTwoHosts(t *testing.T) {
	j := newJar(t, rotaPath)
	n, workers := length(100_000, 2000, 400), length(32, 8, 8)
	all := j.fill(n, "echo $JJ_JOB >> RUNS\n")
	apart := exec.Command("unshare", "--uts", "--pid", "--fork", "--mount-proc", "true").Run() == nil
	t.Logf("hosts in namespaces of their own: %v", apart)
	began := time.Now()
	var hosts []*exec.Cmd
	for _, name := range []string{"rain", "flower"} {
		text := fmt.Sprintf("for i in $(seq %d); do %s jar worker --foreground A B > /dev/null & done; wait", workers/2, j.rota)
		cmd := exec.Command("sh", "-c", text)
		env := "JJ_NODE=" + name
		if apart {
			cmd = exec.Command("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", "hostname "+name+"; "+text)
			env = "JJ_NODE="
		}
		cmd.Env = append(j.command().Env, env)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		j.must(cmd.Start())
		t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
		hosts = append(hosts, cmd)
	}
	j.awaitAll(n, func() {})
	t.Logf("%d jobs, %d workers: %v", n, workers, time.Since(began))
	j.must(os.WriteFile(filepath.Join(j.WorkerHome, "STOP_ALL"), nil, 0o644))
	for _, h := range hosts {
		if err := h.Wait(); err != nil {
			t.Error(err)
		}
	}
	counts := j.counts()
	for _, name := range all {
		if counts[name] != 1 {
			t.Errorf("%s ran %d times", name, counts[name])
		}
	}
	if len(counts) != n {
		t.Errorf("%d jobs ran, want %d", len(counts), n)
	}
	j.checkEnds(all)
	by := map[string]int{}
	entries, err := os.ReadDir(j.WorkerHome)
	j.must(err)
	for _, e := range entries {
		if node, _, ok := jar.ParseWorkerName(e.Name()); ok {
			by[node]++
		}
	}
	if by["rain"] != workers/2 || by["flower"] != workers/2 {
		t.Errorf("workers by host: %v", by)
	}
}
