package crash_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// pulse beats once a second as long as the machine runs programs and its disk writes. Patience is counted in beats: what
// waits for a disk that others keep busy does not hang.
type pulse struct {
	beats   atomic.Int64
	slowest atomic.Int64 // how long a beat took beyond its second, at most
}

// newPulse beats until the test has ended; dir is on the disk.
func newPulse(t *testing.T, dir string) *pulse {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "pulse"))
	if err != nil {
		t.Fatal(err)
	}
	p, end, ended := &pulse{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer f.Close()
		for {
			began := time.Now()
			select {
			case <-time.After(time.Second):
			case <-end:
				return
			}
			if _, err := f.WriteAt([]byte{1}, 0); err != nil || f.Sync() != nil {
				t.Errorf("the disk does not write: %v", err)
				return
			}
			p.beats.Add(1)
			p.slowest.Store(max(p.slowest.Load(), int64(time.Since(began)-time.Second)))
		}
	}()
	t.Cleanup(func() {
		close(end)
		<-ended
	})
	return p
}

// since counts beats from now on.
func (p *pulse) since() func() int64 {
	at := p.beats.Load()
	return func() int64 { return p.beats.Load() - at }
}

func (p *pulse) String() string {
	return fmt.Sprintf("%d beats, the slowest %v late", p.beats.Load(), time.Duration(p.slowest.Load()).Round(time.Millisecond))
}
