package doctor

import (
	"path/filepath"
	"testing"
	"time"
)

func TestSpace(t *testing.T) {
	for _, c := range []struct {
		free  uint64
		level Level
		words string
	}{
		{0, Fail, "0 KiB"},
		{100<<20 - 1, Fail, "99 MiB"},
		{100 << 20, Warn, "100 MiB"},
		{1<<30 - 1, Warn, "1023 MiB"},
		{1 << 30, OK, "1.0 GiB"},
		{5 << 40, OK, "5120.0 GiB"},
	} {
		expect(t, judgeSpace("/data", c.free), c.level, c.words, "/data")
	}
}

func TestInodes(t *testing.T) {
	for _, c := range []struct {
		all, free uint64
		level     Level
		words     string
	}{
		{0, 0, OK, "no fixed number"},
		{1000, 499, Fail, "only 499 more"},
		{1000, 500, Warn, "only 500 more"},
		{1 << 20, 10_000, OK, "10000 more"},
	} {
		expect(t, judgeInodes("/data", c.all, c.free), c.level, c.words)
	}
}

// What is not there yet is asked of where it would be made.
func TestDiskOfAFolderToBeMade(t *testing.T) {
	dir := t.TempDir()
	p := Place{Data: filepath.Join(dir, "a", "b")}
	for name, f := range map[string]Finding{
		"space":  checkSpace(t.Context(), p),
		"inodes": checkInodes(t.Context(), p),
		"fsync":  checkFsync(t.Context(), p),
	} {
		if f.Text == "" || (f.Level == OK) != (f.Fix == "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	expect(t, checkFsync(t.Context(), Place{Data: "a\x00b"}), Fail, "not measured")
	expect(t, checkSpace(t.Context(), Place{Data: "a\x00b"}), Fail, "not known")
	expect(t, checkInodes(t.Context(), Place{Data: "a\x00b"}), Fail, "not known")
	if names := namesIn(t, dir); names != "" {
		t.Errorf("%q is in the folder: want nothing of ours", names)
	}
}

func TestFsyncMedian(t *testing.T) {
	const ms = time.Millisecond
	expect(t, judgeFsync("/data", []time.Duration{400 * ms, 200_000, 300_000}), OK, "0.30 ms", "median of 3")
	expect(t, judgeFsync("/data", []time.Duration{20 * ms, 20 * ms, 20 * ms}), OK, "20.00 ms")
	expect(t, judgeFsync("/data", []time.Duration{ms, 21 * ms, 22 * ms}), Warn, "21.0 ms")
}
