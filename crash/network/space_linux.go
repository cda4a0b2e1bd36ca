package network

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// space is a namespace of the network, with a thread that stands in it for as long as the test lasts. It goes when the
// thread and the processes have gone that were started by it.
type space struct {
	file string // its name for ip
	work chan func()
}

func newSpace(t testing.TB) *space {
	t.Helper()
	s := &space{work: make(chan func())}
	made := make(chan error)
	go s.stand(made)
	if err := <-made; err != nil {
		t.Skipf("no network namespace can be made here: %v", err)
	}
	t.Cleanup(func() { close(s.work) })
	return s
}

// stand has a thread enter a new namespace and work there. The thread ends with the goroutine, since it is never
// unlocked: nothing else may run in the namespace by chance. The first thread of a process cannot end, so another does it.
func (s *space) stand(made chan<- error) {
	runtime.LockOSThread()
	thread := unix.Gettid()
	if thread == os.Getpid() {
		defer runtime.UnlockOSThread()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.stand(made)
		}()
		<-done
		return
	}
	s.file = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), thread)
	err := unix.Unshare(unix.CLONE_NEWNET)
	made <- err
	if err != nil {
		return
	}
	for f := range s.work {
		f()
	}
}

// do has it done by the thread in the namespace: processes are where the thread is that starts them.
func (s *space) do(f func()) {
	done := make(chan struct{})
	s.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

func (s *space) ip(t testing.TB, args ...string) {
	t.Helper()
	s.run(t, "ip", args...)
}

func (s *space) run(t testing.TB, program string, args ...string) {
	t.Helper()
	var out []byte
	var err error
	s.do(func() { out, err = exec.Command(program, args...).CombinedOutput() })
	if err != nil {
		t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, out)
	}
}
