package keeper

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// spareThreads is how many threads a keeper has beyond those of its slots, for all else that may wait in the kernel at
// once.
const spareThreads = 16

// ReserveThreads makes sure that this process has so many threads beside those that are somebody's own. The runtime keeps
// threads that have nothing to do, and dies where it needs one more and the system has none (EAGAIN: a limit of
// processes is reached). A process that is to outlive that has its threads from the beginning.
func ReserveThreads(n int) {
	var there, gone sync.WaitGroup
	there.Add(n)
	all := make(chan struct{})
	for range n {
		gone.Go(func() {
			runtime.LockOSThread() // as long as it waits so, it has the thread to itself
			defer runtime.UnlockOSThread()
			there.Done()
			<-all
		})
	}
	there.Wait()
	close(all)
	gone.Wait()
}

// reserveThreads has the threads made that slots without one may yet need.
func (k *Local) reserveThreads() {
	k.mu.Lock()
	n := max(k.slots-k.made, 0) + spareThreads
	k.mu.Unlock()
	ReserveThreads(n)
}

// canFork is why no thread or process can be made now. It makes one that cannot become a program: a folder is none.
func canFork() error {
	_, err := forkExec(os.TempDir(), []string{os.TempDir()}, nil)
	if err == unix.EAGAIN || err == unix.ENOMEM || err == unix.EMFILE || err == unix.ENFILE {
		return err
	}
	return nil
}

// replaceThread is for a slot whose thread is about to end. It takes one of the spare ones, and those are made up for now
// and then, at a time when threads can be had.
func (k *Local) replaceThread() {
	const seldom = spareThreads / 2
	if !k.alone || k.replaced.Add(1)%seldom != 0 {
		return
	}
	for canFork() != nil && !k.isClosed() {
		time.Sleep(longestPause / 10)
	}
	k.reserveThreads()
}
