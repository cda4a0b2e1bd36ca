package doctor

import (
	"math"
	"strings"
	"testing"
)

func TestOpenFiles(t *testing.T) {
	for _, c := range []struct {
		limit uint64
		slots int
		level Level
		words string
	}{
		{math.MaxUint64, 4, OK, "any number of files"},
		{1024, 4, OK, "1024 files; with 4 slots"},
		{1024, 64, Warn, "may need up to 1280"},
		{256, 4, Warn, "may need up to 320"},
		{100, 4, Fail, "needs about 320"},
		{1024, 1000, Fail, "needs about 16256"},
		{1024, 0, OK, "1024 files"},
	} {
		f := judgeOpenFiles(c.limit, c.slots)
		expect(t, f, c.level, c.words)
		if c.slots == 64 && !strings.Contains(f.Fix, "ulimit -n 1280") {
			t.Errorf("remedy %q: want the number in it", f.Fix)
		}
	}
	if f := checkOpenFiles(t.Context(), Place{Slots: 1 << 40}); f.Level == OK && !strings.Contains(f.Text, "any number") {
		t.Errorf("%+v: no machine has files for so many slots", f)
	}
}

func TestProcesses(t *testing.T) {
	expect(t, judgeProcesses(nil, 4), OK, "no limit")
	wide := bound{4194304, "kernel.pid_max", "sysctl -w kernel.pid_max=%d"}
	user := bound{300, "ulimit -u", "ulimit -u %d (LimitNPROC=%[1]d)"}
	expect(t, judgeProcesses([]bound{wide}, 4), OK, "4194304 processes and threads", "kernel.pid_max")
	f := judgeProcesses([]bound{wide, user, wide}, 4)
	expect(t, f, Warn, "300 processes and threads", "ulimit -u", "up to 320")
	if want := "ulimit -u 320 (LimitNPROC=320), or fewer slots"; f.Fix != want {
		t.Errorf("remedy %q: want %q", f.Fix, want)
	}
	expect(t, judgeProcesses([]bound{user, wide}, 1000), Fail, "300", "need about 16256")
}
