package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestCron(t *testing.T) {
	w := newUp(t)
	out := w.ok("cron", "add", "nightly", "30 2 * * *", "--tz", "Europe/Berlin", "-n", "backup", "-Q", "slow", "--", "./backup.sh", "-v")
	if lines := strings.Split(out, "\n"); lines[0] != "nightly: 30 2 * * *, Europe/Berlin; next:" || len(lines) != 9 || !strings.Contains(lines[1], "02:30:00 CE") {
		t.Errorf("%q", out)
	}
	var all []rota.Schedule
	if err := json.Unmarshal([]byte(w.ok("cron", "ls", "-o", "json")), &all); err != nil || len(all) != 1 || all[0].Spec.Queue != "slow" || all[0].Overlap != rota.OverlapSkip {
		t.Errorf("%+v, %v", all, err)
	}
	if out := w.ok("cron", "ls", "-o", "wide"); strings.Count(out, "02:30:00 CE") < 5 {
		t.Errorf("%s", out)
	}
	w.fails(1, "nightly", "cron", "add", "nightly", "@daily", "--", "true")
	w.fails(2, "--tz \"Nowhere\"", "cron", "add", "x", "@daily", "--tz", "Nowhere", "--", "true")
	w.fails(2, "minute", "cron", "add", "x", "61 * * * *", "--", "true")
	w.fails(2, "never due", "cron", "add", "x", "0 0 30 2 *", "--", "true")
	w.fails(2, "stands behind --", "cron", "add", "x", "@daily", "true", "arg")
	w.fails(2, "missing argument EXPR", "cron", "add", "x")
	w.fails(2, "nothing to run", "cron", "add", "x", "@daily")
	w.fails(2, "there is no flag --at", "cron", "add", "x", "@daily", "--at", "9:00", "--", "true")
	w.ok("cron", "rm", "nightly")
	w.fails(3, "nightly", "cron", "rm", "nightly")
}

func TestLocalZone(t *testing.T) {
	tz := func(v string, ok bool) func(string) (string, bool) {
		return func(string) (string, bool) { return v, ok }
	}
	link := func(to string) func(string) (string, error) { return func(string) (string, error) { return to, nil } }
	for _, c := range []struct{ got, want string }{
		{localZone(tz("Europe/Berlin", true), link("")), "Europe/Berlin"},
		{localZone(tz(":Asia/Tokyo", true), link("")), "Asia/Tokyo"},
		{localZone(tz("", true), link("/usr/share/zoneinfo/Asia/Tokyo")), "UTC"},
		{localZone(tz("", false), link("/usr/share/zoneinfo/Asia/Tokyo")), "Asia/Tokyo"},
		{localZone(tz("CET-1CEST", true), link("/etc/localtime.bak")), "UTC"},
	} {
		if c.got != c.want {
			t.Errorf("zone %q, want %q", c.got, c.want)
		}
	}
}
