package pgtest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A test binary that is killed can clean nothing up: its servers end all the same, and the next one removes what is
// left of them.
func TestNothingOutlivesAKilledTest(t *testing.T) {
	if os.Getenv("PGTEST_KILLED") != "" {
		s := New(t)
		NewBouncer(t, s, 1)
		os.Stdout.WriteString(s.folder + "\n")
		select {}
	}
	program(t, "postgres")
	installed(t, "pgbouncer", "pgbouncer")
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingOutlivesAKilledTest$")
	cmd.Env = append(os.Environ(), "PGTEST_KILLED=yes")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	bouncer := strings.Replace(dir[:strings.LastIndex(dir, "-")], "-postgres", "-pgbouncer", 1)
	if err != nil || len(within(dir+"/data")) < 2 || len(running(bouncer)) != 1 {
		t.Fatalf("%v: nothing runs in %s", err, dir)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	until(t, "have all end", func() bool { return len(within(dir+"/data"))+len(running(bouncer)) == 0 })
	sweep()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// running are the processes in folders that begin so.
func running(prefix string) (pids []int) {
	dirs, _ := os.ReadDir(os.TempDir())
	for _, d := range dirs {
		if dir := os.TempDir() + "/" + d.Name(); strings.HasPrefix(dir, prefix) {
			pids = append(pids, within(dir)...)
		}
	}
	return pids
}
