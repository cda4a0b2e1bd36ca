package crash_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// TestI8OutputOfAllSizes has jobs write from a byte to much more than is kept, of any value and without lines, and end at
// once, or be killed while they write: what comes back is what was written, or its ends, with the count of what is not
// there between them. ROTA_SOAK=1 makes it 2 GiB at most.
func TestI8OutputOfAllSizes(t *testing.T) {
	runtime.LockOSThread() // what this thread starts dies with it; it is not unlocked, so it ends with the test
	m := newMachine(t)
	l := m.start()
	m.untilUp(l)
	sizes := []int64{1, 2, rota.InlineOutput, rota.InlineOutput + 1, rota.OutputCap - 1, rota.OutputCap, rota.OutputCap + 1, 1<<20 + 1, 50 << 20, 2 << 30}
	total := int64(0)
	for _, size := range sizes[:length(len(sizes), len(sizes)-1, len(sizes)-2)] {
		id := m.pour(size)
		m.untilEnded(id)
		task := m.checkPoured(id)
		if task.State != rota.Succeeded || task.Written.Stdout == nil || *task.Written.Stdout != size {
			t.Errorf("%d bytes: %v, %q, %v are told", size, task.State, task.Reason, task.Written.Stdout)
		}
		total += size
	}
	for range length(20, 5, 2) {
		id := m.pour(-1)
		m.comes("it writes", func() bool {
			o, err := m.client.Output(m.ctx, rota.OutputQuery{Task: rota.PlainTask(id), Stream: rota.Stdout, Max: 1}, 0)
			return err == nil && o.Size > int64(m.random.IntN(8<<20))
		})
		filter := rota.Filter{Tasks: []rota.Span{{First: rota.PlainTask(id), Last: rota.PlainTask(id)}}}
		if _, err := m.client.Operate(m.ctx, rota.Operation{Act: rota.ActKill, Filter: filter}); err != nil {
			t.Fatal(err)
		}
		m.untilEnded(id)
		if task := m.checkPoured(id); task.State != rota.Cancelled || task.Written.Stdout == nil || *task.Written.Stdout == 0 {
			t.Errorf("killed while it wrote: %v, %q, %v are told", task.State, task.Reason, task.Written.Stdout)
		} else {
			total += *task.Written.Stdout
		}
	}
	m.client.Close()
	m.stop(l)
	t.Logf("%d MiB were written, and what came back is the same or counted", total>>20)
}

// pour submits a job that writes so much.
func (m *machine) pour(size int64) rota.JobID {
	m.Helper()
	none := 0
	got, err := m.client.Submit(m.ctx, rota.Submission{Spec: rota.Spec{Argv: []string{witnessPath, fmt.Sprint("-bytes=", size)},
		Env: []string{crash.MarkName + "=" + m.mark}, Retry: &rota.Retry{Count: &none, MaxLost: &none}}})
	if err != nil {
		m.Fatal(err)
	}
	return got.Job
}

// checkPoured compares what there is of a job's output: pieces in their places, the beginning and the end among them.
func (m *machine) checkPoured(id rota.JobID) rota.Task {
	m.Helper()
	task, _, err := m.client.Task(m.ctx, rota.PlainTask(id))
	if err != nil {
		m.Fatal(err)
	}
	const ends = rota.OutputCap / 2
	want := make([]byte, 1<<20)
	at, cuts := int64(0), int64(0)
	for {
		o, err := m.client.Output(m.ctx, rota.OutputQuery{Task: task.ID, Stream: rota.Stdout, Offset: at, Max: len(want)}, 0)
		if err != nil {
			m.Fatal(err)
		}
		if task.Written.Stdout == nil || o.Size != *task.Written.Stdout {
			m.Fatalf("job %v: its output is told to have %d bytes, and its end says %v", id, o.Size, task.Written.Stdout)
		}
		if o.Cut != o.Offset-at || o.Cut > 0 && (at < ends || o.Offset > o.Size-ends) {
			m.Errorf("job %v: from %d on %d bytes are told to be cut, and what comes is at %d of %d", id, at, o.Cut, o.Offset, o.Size)
		}
		crash.Fill(want[:len(o.Data)], o.Offset)
		if !bytes.Equal(o.Data, want[:len(o.Data)]) {
			m.Fatalf("job %v: of %d bytes those from %d on are wrong", id, o.Size, o.Offset)
		}
		cuts += o.Cut
		if at = o.Offset + int64(len(o.Data)); at >= o.Size {
			m.Logf("%d bytes: %d came back as they were, %d are counted as cut", o.Size, o.Size-cuts, cuts)
			return task
		}
		if len(o.Data) == 0 {
			m.Fatalf("job %v: nothing comes from %d of %d on", id, at, o.Size)
		}
	}
}
