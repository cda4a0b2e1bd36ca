package cron

import (
	"reflect"
	"strings"
	"testing"
)

const crontab = `# m h dom mon dow command
SHELL=/bin/bash
MAILTO = "ops@example.org"
PATH='/usr/bin:/bin'

*/5 * * * *  /usr/local/bin/poll --fast
0 3 * * mon	backup "a b"   # weekly
@daily   tidy 2>&1 | tail
CRON_TZ=Europe/Berlin
30 6 1 jan *  date +\%F %first line%second line
MAILTO=
@reboot start-it
61 * * * * never
5 4 * *
@hourly
A=1
0 0 * * * env
`

func TestReadTab(t *testing.T) {
	mail, none := "ops@example.org", ""
	base := []string{"PATH=/usr/bin:/bin"}
	zoned := append(base, "CRON_TZ=Europe/Berlin")
	want := []Line{
		{Number: 6, Expr: "*/5 * * * *", Command: "/usr/local/bin/poll --fast", Env: base, MailTo: &mail},
		{Number: 7, Expr: "0 3 * * mon", Command: `backup "a b"   # weekly`, Env: base, MailTo: &mail},
		{Number: 8, Expr: "@daily", Command: "tidy 2>&1 | tail", Env: base, MailTo: &mail},
		{Number: 10, Expr: "30 6 1 jan *", Command: "date +%F ", Input: "first line\nsecond line\n", Env: zoned, MailTo: &mail, Zone: "Europe/Berlin"},
		{Number: 12, Command: "start-it", Env: zoned, MailTo: &none, Zone: "Europe/Berlin", Wrong: "@reboot: a schedule is due at times, not when a machine starts"},
		{Number: 13, Command: "never", Env: zoned, MailTo: &none, Zone: "Europe/Berlin", Wrong: `minute "61": outside 0-59`},
		{Number: 14, Env: zoned, MailTo: &none, Zone: "Europe/Berlin", Wrong: "no command stands there"},
		{Number: 15, Env: zoned, MailTo: &none, Zone: "Europe/Berlin", Wrong: "no command stands there"},
		{Number: 17, Expr: "0 0 * * *", Command: "env", Env: append(zoned, "A=1"), MailTo: &none, Zone: "Europe/Berlin"},
	}
	lines := strings.Split(crontab, "\n")
	got := ReadTab(crontab, false)
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		want[i].Shell, want[i].Text = "/bin/bash", lines[want[i].Number-1]
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("entry %d: %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestReadTabOfASystem(t *testing.T) {
	got := ReadTab("17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly\n@weekly www x=1 y%\n", true)
	want := []Line{
		{Number: 1, Text: "17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly", Expr: "17 * * * *", User: "root",
			Command: "cd / && run-parts --report /etc/cron.hourly"},
		{Number: 2, Text: "@weekly www x=1 y%", Expr: "@weekly", User: "www", Command: "x=1 y", Input: "\n"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func FuzzReadTab(f *testing.F) {
	f.Add(crontab, false)
	f.Add("@weekly www x=1 y%\n\\%\n= = =\n@\n", true)
	f.Fuzz(func(t *testing.T, text string, system bool) {
		for _, l := range ReadTab(text, system) {
			if (l.Expr == "") == (l.Wrong == "") {
				t.Fatalf("%+v", l)
			}
			if l.Expr != "" {
				if _, err := Parse(l.Expr); err != nil || strings.TrimSpace(l.Command) == "" {
					t.Fatalf("%+v: %v", l, err)
				}
			}
		}
	})
}
