package main_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	_ "github.com/rotaqueue/rota/cmd/rota" // so that a change of it makes go test run the scripts again
	"github.com/rotaqueue/rota/store/pgtest"
)

// patience is how long a script waits for what should happen. It is long: a machine may be busy.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	// Scripts wait for processes more than they compute; -parallel on the command line goes before this.
	_ = flag.Set("test.parallel", "6")
	pgtest.Main(m)
}

// TestScript drives the real binary by the scripts in testdata/script, as a user would.
//
// Each has its own $WORK, with data folder, home and configuration in it, and the commands of [scriptCommands]
// besides those of testscript. Whatever a script starts is ended with it, also when it fails, and a script that
// leaves a process behind fails.
func TestScript(t *testing.T) {
	bin, work := buildRota(t), t.TempDir()
	for _, dir := range []string{bin, work} { // another user may go through, to what a script gives it
		if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		WorkdirRoot:        work,
		Setup:              func(env *testscript.Env) error { return setUpScript(env, bin) },
		Cmds:               scriptCommands,
		Condition:          scriptCondition,
		RequireUniqueNames: true,
	})
}

// buildRota builds the binary as it is shipped, or with the race detector when this test has it; and beside it one of a
// version that may come next, with a schema of its own.
func buildRota(t *testing.T) (folder string) {
	folder = t.TempDir()
	build(t, filepath.Join(folder, "rota"))
	migrations, err := filepath.Abs("../../store/sqlstore/migrations")
	if err != nil {
		t.Fatal(err)
	}
	migration, err := filepath.Abs("testdata/next.sql")
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(migrations, "09999_next.sql"): migration}})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	build(t, filepath.Join(folder, "next"), "-overlay", overlay, "-ldflags", "-X github.com/rotaqueue/rota.Version=99.0.0-next")
	return folder
}

func build(t *testing.T, to string, flags ...string) {
	args, cgo := append([]string{"build", "-buildvcs=false", "-o", to}, flags...), "CGO_ENABLED=0"
	if race() {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build rota: %v\n%s", err, out)
	}
}

// race reports whether this test, and so the binary, has the race detector.
func race() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func setUpScript(env *testscript.Env, bin string) error {
	for key, value := range map[string]string{
		"NEXT": bin + "/next", "PATH": bin + ":" + env.Getenv("PATH"), "TZ": "UTC", "LANG": "C.UTF-8",
		"HOME": env.WorkDir + "/home", "XDG_CONFIG_HOME": env.WorkDir + "/config", "XDG_DATA_HOME": env.WorkDir + "/share",
		"ROTA_DATA": env.WorkDir + "/data", "ROTA_NODE_NAME": "here", "ROTA_LISTEN": "none", "ROTA_SLOTS": "2",
		"BIN": bin, "JJ_NODE": "rain", "JJ_PAUSE_TIME": "0.05",
	} {
		env.Setenv(key, value)
	}
	s := &script{TB: env.T().(testing.TB), work: env.WorkDir}
	env.Values[scriptKey{}] = s
	env.Defer(s.end)
	return os.Mkdir(env.WorkDir+"/home", 0o700)
}

func scriptCondition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "race":
		return race(), nil
	case "other": // somebody else, who has nothing: ./other.sh makes a command his
		return os.Geteuid() != 0 || exec.Command("setpriv", "--reuid=64099", "--regid=64099", "--clear-groups", "test", "-x", os.TempDir()).Run() == nil, nil
	case "pidns": // a namespace of processes can be made
		return exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").Run() == nil, nil
	}
	return false, errors.New("no such condition")
}

// scriptCommands are what scripts can do beyond testscript's own commands.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":    command(2, "exits CODE PROGRAM ARG...: runs it, and wants that exit code", exits),
	"start":    command(2, "start NAME PROGRAM ARG...: in the background, with output in NAME.out and NAME.err", start),
	"up":       command(1, "up NAME FLAG...: starts a node and waits until it serves", up),
	"signal":   command(2, "signal SIGNAL NAME: to what start or up started", signalTo),
	"keeper":   command(1, "keeper SIGNAL: to the keepers of the data folder; KILL waits until they are dead", signalKeepers),
	"ends":     command(2, "ends CODE NAME: waits for its end, and takes its output as stdout and stderr", ends),
	"waitfor":  command(1, "[!] waitfor FILE [PATTERN]: until it is there and matches; ! until it is gone", waitFor),
	"becomes":  command(2, "becomes PATTERN PROGRAM ARG...: runs it again and again until its stdout matches", becomes),
	"inorder":  command(2, "inorder TIME TIME...: none is before the one that stands before it", inOrder),
	"dead":     command(1, "dead PID...: none of these processes runs", dead),
	"let":      command(3, "let VARIABLE FILE PATTERN: sets it to what the first group, or all of it, matches", let),
	"ask":      command(3, "ask [-token FILE] [-body FILE] [-host NAME] METHOD STATUS URL: an HTTP request; stdout is the answer", ask),
	"json":     command(1, "json FILE...: each holds JSON values and nothing else", validJSON),
	"atmost":   command(2, "atmost N FILE: of its lines begin and end, never more than N begun are not ended", atMost),
	"jar":      command(1, "jar FOLDER: makes a jar", makeJar),
	"waitglob": command(1, "waitglob PATTERN: until a file of such a name is there", waitGlob),
	"postgres": command(0, "postgres: ROTA_STORE is a database of the script's own; skips the script where PostgreSQL is not installed", postgres),
	"tmpfs":    command(2, "tmpfs SIZE FOLDER: mounts a small file system for this script; skips it where that cannot be", tmpfs),
}

// command checks the number of arguments. Only waitfor takes !.
func command(least int, usage string, do func(*testscript.TestScript, *script, bool, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) < least || (neg && !strings.HasPrefix(usage, "[!]")) {
			ts.Fatalf("usage: %s", usage)
		}
		do(ts, ts.Value(scriptKey{}).(*script), neg, args)
	}
}

// script is what a running script has started and must be ended with it.
type script struct {
	testing.TB
	work    string
	started []*process
	mounts  []string
}

type scriptKey struct{}

// process is a command that runs beside its script.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (s *script) process(ts *testscript.TestScript, name string) *process {
	i := slices.IndexFunc(s.started, func(p *process) bool { return p.name == name })
	if i < 0 {
		ts.Fatalf("nothing was started as %s", name)
	}
	return s.started[i]
}

// end ends what still runs, transient nodes too, and fails when something of the script is left.
func (s *script) end() {
	for _, p := range slices.Backward(s.started) {
		if s.Failed() {
			text, _ := os.ReadFile(filepath.Join(s.work, p.name+".err"))
			s.Logf("stderr of %s:\n%s", p.name, text)
		}
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(patience / 2):
			s.Errorf("%s does not end after TERM", p.name)
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	}
	_ = filepath.WalkDir(s.work, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "lock" && d.Type().IsRegular() {
			s.endHolder(path)
		}
		return nil
	})
	if s.Failed() {
		s.endJarWorkers()
	}
	s.findLeft()
	for _, folder := range s.mounts {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			s.Errorf("umount: %v: %s", err, out)
		}
	}
}

// endHolder ends the node that holds a data folder, whose process is written into the lock that it holds, and then what
// its keepers run.
func (s *script) endHolder(lock string) {
	defer s.endKeepers(filepath.Dir(lock))
	f, err := os.Open(lock)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return
	}
	text, _ := io.ReadAll(f)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		s.Errorf("%s is held, but names no process: %q", lock, text)
		return
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	late := time.AfterFunc(patience/2, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	defer late.Stop()
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}

// endKeepers kills the keepers of a data folder that no daemon has, with what they run. Their processes are known by
// their arguments.
func (s *script) endKeepers(data string) {
	for _, pid := range s.keepers(data) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (s *script) keepers(data string) (pids []int) {
	for pid, args := range s.left() {
		if strings.HasPrefix(args, "rota keeper "+filepath.Join(data, "work", "keepers")+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// endJarWorkers ends workers of jars that a script did not come to stop.
func (s *script) endJarWorkers() {
	for pid, args := range s.left() {
		if strings.Contains(args, "jar worker") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// findLeft looks for processes of this script, which have its folder in their environment. Where there is no /proc
// it finds none.
func (s *script) findLeft() {
	var left map[int]string
	if until(func() bool { left = s.left(); return len(left) == 0 }, patience/6) {
		return
	}
	for pid, what := range left {
		s.Errorf("process %d is left: %s", pid, what)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (s *script) left() map[int]string {
	found := map[int]string{}
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		environ, err := os.ReadFile(path)
		// With a slash: the folder of another script may begin with the name of this one's.
		if err != nil || !strings.Contains(string(environ), s.work+"/") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		args, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		found[pid] = strings.ReplaceAll(string(args), "\x00", " ")
	}
	return found
}

// until looks again and again whether something is so, for a while.
func until(so func() bool, atMost time.Duration) bool {
	late := time.After(atMost)
	for tick := time.NewTicker(5 * time.Millisecond); !so(); {
		select {
		case <-late:
			tick.Stop()
			return false
		case <-tick.C:
		}
	}
	return true
}
