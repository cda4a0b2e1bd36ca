package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
)

// cronjobs is a Service that keeps schedules, for the door alone.
type cronjobs struct {
	spy
	all  []rota.Schedule
	kept []string // blobs
}

func (c *cronjobs) PutSchedule(_ context.Context, s rota.Schedule) (rota.Schedule, error) {
	for i := range c.all {
		if c.all[i].Name == s.Name {
			c.all[i] = s
			return s, nil
		}
	}
	s.Name = strings.Replace(s.Name, "#", "7", 1)
	s.Version, s.Next = 1, time.Unix(1e9, 0)
	c.all = append(c.all, s)
	return s, nil
}
func (c *cronjobs) PutBlob(_ context.Context, b rota.Blob, body io.Reader) (rota.Blob, error) {
	text, err := io.ReadAll(body)
	c.kept = append(c.kept, string(text))
	return b, err
}
func (c *cronjobs) Blob(_ context.Context, id rota.BlobID) (rota.Blob, error) {
	return rota.Blob{ID: id, URL: "http://s3.example.org/" + string(id)}, nil
}
func (c *cronjobs) Schedules(context.Context) ([]rota.Schedule, error) { return c.all, nil }
func (c *cronjobs) Schedule(_ context.Context, name string) (r rota.ScheduleRecord, err error) {
	for _, s := range c.all {
		if s.Name == name {
			r.Schedule = s
			return r, nil
		}
	}
	return r, rota.Errorf(rota.ErrNotFound, "schedule %q: there is none", name)
}

// jobsDoor serves the door; ask gives the status and the body.
func jobsDoor(t *testing.T, svc rota.Service, o Cronjob) (ask func(method, path, body string, headers ...string) (int, string)) {
	t.Helper()
	s := NewCronjob(svc, Options{Cronjob: &o, Authenticate: func(_ context.Context, secret string) (rota.Principal, error) {
		if _, known := map[string]bool{"viewer": true, "submitter": true, "operator": true, "admin": true}[secret]; !known {
			return rota.Principal{}, rota.Errorf(rota.ErrUnauthenticated, "no such token")
		}
		return rota.Principal{Name: "the " + secret, Role: rota.Role(secret)}, nil
	}})
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return func(method, path, body string, headers ...string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, strings.TrimSpace(string(text))
	}
}

const as = "Authorization: Bearer "

// The routes and the JSON are those that were promised, to the byte.
func TestC1TheDoorForCronJobs(t *testing.T) {
	t.Setenv("TZ", "Europe/Berlin")
	svc := &cronjobs{}
	ask := jobsDoor(t, svc, Cronjob{Trust: "kim"})
	job := `{"id":"7","status":"scheduled","executable":"ls -la","schedule":"4 * * * *","type":"command"}`
	for _, step := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/jobs", "", 200, `[]`},
		{"POST", "/jobs", `{"executable":"ls -la", "schedule":"4 * * * *", "type": "command"}`, 201, job},
		{"GET", "/jobs", "", 200, "[" + job + "]"},
		{"GET", "/jobs/7", "", 200, job},
		{"DELETE", "/jobs/7", "", 200, strings.Replace(job, "scheduled", "finished", 1)},
		{"GET", "/jobs/7", "", 200, strings.Replace(job, "scheduled", "finished", 1)},
		{"DELETE", "/jobs/7", "", 200, strings.Replace(job, "scheduled", "finished", 1)},
	} {
		if status, got := ask(step.method, step.path, step.body); status != step.status || got != step.want {
			t.Errorf("%s %s: %d %s\nwant %d %s", step.method, step.path, status, got, step.status, step.want)
		}
	}
	s := svc.all[0]
	if s.Spec.Shell != "ls -la" || s.Zone != "Europe/Berlin" || s.Expr != "4 * * * *" || !s.Ended {
		t.Errorf("the schedule behind it: %+v", s)
	}
}

func TestC2WhatIsRefused(t *testing.T) {
	ask := jobsDoor(t, &cronjobs{}, Cronjob{})
	for _, tt := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"no schedule", `{"executable":"ls","type":"command"}`, 400, "schedule"},
		{"a schedule that cannot be", `{"executable":"ls","schedule":"61 * * * *","type":"command"}`, 400, "outside 0-59"},
		{"four fields", `{"executable":"ls","schedule":"* * * *","type":"command"}`, 400, "has 4 fields"},
		{"no executable", `{"schedule":"* * * * *","type":"command"}`, 400, "executable"},
		{"a blank executable", `{"executable":"  ","schedule":"* * * * *","type":"command"}`, 400, "executable: is empty"},
		{"an executable that ends in quotes", `{"executable":"echo 'a","schedule":"* * * * *","type":"command"}`, 400, "single quotes"},
		{"an executable with a NUL", `{"executable":"echo \u0000","schedule":"* * * * *","type":"command"}`, 400, "NUL"},
		{"no type", `{"executable":"ls","schedule":"* * * * *"}`, 400, "type"},
		{"another type", `{"executable":"ls","schedule":"* * * * *","type":"jar"}`, 400, `type \"jar\"`},
		{"an unknown field", `{"executable":"ls","schedule":"* * * * *","type":"command","queue":"x"}`, 400, "queue"},
		{"its id", `{"id":"1","executable":"ls","schedule":"* * * * *","type":"command"}`, 400, "id"},
		{"no JSON", `executable=ls`, 400, ""},
		{"a script that is no BASE64", `{"executable":"#!/bin/sh","schedule":"* * * * *","type":"script"}`, 400, "comes as BASE64"},
		{"a script of nothing", `{"executable":"","schedule":"* * * * *","type":"script"}`, 400, "is empty"},
		{"a script without a first line", `{"executable":"bHMgLWxhCg==","schedule":"* * * * *","type":"script"}`, 400, "#!/bin/sh"},
		{"a binary that is none", `{"executable":"bHMgLWxhCg==","schedule":"* * * * *","type":"binary"}`, 400, "begins neither"},
		{"a script that is too large", `{"executable":"` + strings.Repeat("A", 4*(rota.MaxProgram/3+3)) + `","schedule":"* * * * *","type":"script"}`, 413, "more than"},
		{"root", `{"executable":"ls","schedule":"* * * * *","type":"command","user":"root"}`, 403, "only an admin may run jobs as root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := ask("POST", "/jobs", tt.body, as+"submitter")
			if status != tt.status || !strings.Contains(got, tt.says) {
				t.Errorf("%d %s, want %d and %q", status, got, tt.status, tt.says)
			}
		})
	}
	for _, tt := range []struct {
		method, path string
		status       int
		headers      []string
	}{
		{"GET", "/jobs/7", 404, []string{as + "viewer"}}, {"DELETE", "/jobs/7", 404, []string{as + "submitter"}},
		{"GET", "/jobs/x", 400, []string{as + "viewer"}}, {"GET", "/job", 404, []string{as + "viewer"}},
		{"PUT", "/jobs/7", 405, []string{as + "viewer"}}, {"GET", "/jobs?all=1", 400, []string{as + "viewer"}},
		{"GET", "/api/v1/jobs", 404, []string{as + "admin"}},
		{"GET", "/jobs", 401, nil}, {"GET", "/jobs/7", 401, nil}, {"DELETE", "/jobs/7", 401, nil}, {"POST", "/jobs", 401, nil},
		{"GET", "/jobs", 401, []string{as + "nobody"}},
		{"POST", "/jobs", 403, []string{as + "viewer"}}, {"DELETE", "/jobs/7", 403, []string{as + "viewer"}},
		{"GET", "/jobs", 403, []string{as + "viewer", "Sec-Fetch-Site: cross-site"}},
	} {
		if tt.method == "GET" && len(tt.headers) == 2 {
			tt.method = "POST" // of another site
		}
		if status, got := ask(tt.method, tt.path, "", tt.headers...); status != tt.status {
			t.Errorf("%s %s %v: %d %s, want %d", tt.method, tt.path, tt.headers, status, got, tt.status)
		}
	}
	if _, got := ask("GET", "/jobs", ""); !strings.Contains(got, "--cronjob-trust-loopback USER") {
		t.Errorf("who has no token is told %s", got)
	}
}

// Whoever is on this machine is trusted if that was asked for: straight, not through a proxy, and not in place of a token.
func TestC2TrustOfThisMachine(t *testing.T) {
	ask := jobsDoor(t, &cronjobs{}, Cronjob{Trust: "kim"})
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"straight", nil, 200},
		{"a wrong token", []string{as + "nobody"}, 401},
		{"through a proxy", []string{"X-Forwarded-For: 192.0.2.1"}, 401},
		{"through another", []string{"Forwarded: for=192.0.2.1"}, 401},
		{"through a third", []string{"Via: 1.1 proxy"}, 401},
	} {
		if status, got := ask("GET", "/jobs", "", tt.headers...); status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, status, got, tt.status)
		}
	}
	if status, got := ask("POST", "/jobs", `{"executable":"ls","schedule":"* * * * *","type":"command"}`, "Sec-Fetch-Site: cross-site"); status != 403 {
		t.Errorf("from a page of another site: %d %s", status, got)
	}
	if status, got := ask("POST", "/jobs", `{"executable":"ls","schedule":"* * * * *","type":"command","user":"root"}`); status != 403 {
		t.Errorf("as root: %d %s", status, got)
	}
	c := &Cronjob{Trust: "kim"}
	for from, trusted := range map[string]bool{"127.0.0.1:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true, "192.0.2.1:5": false, "@": false, "": false} {
		r := httptest.NewRequest("GET", "/jobs", nil)
		r.RemoteAddr = from
		if is := c.trusts(r); is != trusted {
			t.Errorf("from %q: trusted %v", from, is)
		}
	}
}

// TestC2WhoIsTrustedIsThatUser: who is trusted is the user of that name as it is now, with role and queues, and no admin; one
// that Rota does not have is a plain submitter.
func TestC2WhoIsTrustedIsThatUser(t *testing.T) {
	svc := realServer(t, server.Options{})
	ada := rota.WithPrincipal(t.Context(), rota.Principal{Name: "ada", Role: admin})
	ask := jobsDoor(t, svc, Cronjob{Trust: "kim", As: svc.AsUser})
	const job = `{"executable":"ls","schedule":"@yearly","type":"command"}`
	put := func(want int) {
		t.Helper()
		if status, got := ask("POST", "/jobs", job); status != want {
			t.Errorf("put: %d %s, want %d", status, got, want)
		}
	}
	is := func(role rota.Role, queues string) {
		t.Helper()
		if _, err := svc.PutUser(ada, "kim", rota.UserChange{Role: &role, Queues: &queues}); err != nil {
			t.Fatal(err)
		}
	}
	put(201) // there is no user kim
	if _, err := svc.PutSchedule(ada, rota.Schedule{Name: "cronjob-900", Expr: "@yearly", Spec: rota.Spec{Shell: "ls", Labels: map[string]string{cronjobLabel: cronjobCommand}}}); err != nil {
		t.Fatal(err)
	}
	end := func(want int) {
		t.Helper()
		if status, got := ask("DELETE", "/jobs/900", ""); status != want {
			t.Errorf("end another's: %d %s, want %d", status, got, want)
		}
	}
	end(403)
	is(rota.RoleViewer, "")
	put(403)
	if status, got := ask("GET", "/jobs", ""); status != 200 {
		t.Errorf("a viewer looks: %d %s", status, got)
	}
	is(rota.RoleSubmitter, "night")
	put(403) // its jobs go into the queue default
	is(rota.RoleSubmitter, "default")
	put(201)
	is(rota.RoleAdmin, "")
	if status, got := ask("POST", "/jobs", `{"executable":"ls","schedule":"@yearly","type":"command","user":"root"}`); status != 403 {
		t.Errorf("an admin's, as root: %d %s", status, got)
	}
	end(200)
	if err := svc.DropUser(ada, "kim"); err != nil {
		t.Fatal(err)
	}
	put(201)
	deeds, err := svc.Audit(ada, rota.DeedQuery{By: "kim"})
	if err != nil || len(deeds) != 4 || deeds[0].From != "127.0.0.1" {
		t.Errorf("the audit has %+v, %v", deeds, err)
	}
}

// TestC2ATroubledStoreTrustsNobody: what a user may is not guessed when it cannot be known.
func TestC2ATroubledStoreTrustsNobody(t *testing.T) {
	ask := jobsDoor(t, &cronjobs{}, Cronjob{Trust: "kim", As: func(context.Context, string) (rota.Principal, error) {
		return rota.Principal{}, rota.Errorf(rota.ErrUnavailable, "the store does not answer")
	}})
	if status, got := ask("GET", "/jobs", ""); status != 503 {
		t.Errorf("%d %s", status, got)
	}
}

// C4: what the status is of what is known.
func TestC4Statuses(t *testing.T) {
	soon := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name string
		s    rota.Schedule
		want string
	}{
		{"never run", rota.Schedule{Next: soon}, "scheduled"},
		{"the latest run succeeded", rota.Schedule{Next: soon, Result: rota.ResultSucceeded, Last: &rota.Fire{Result: rota.ResultSucceeded}}, "scheduled"},
		{"the latest run failed", rota.Schedule{Next: soon, Result: rota.ResultFailed, Failures: 1, Last: &rota.Fire{Result: rota.ResultFailed}}, "error"},
		{"it failed, and runs again", rota.Schedule{Next: soon, Result: rota.ResultFailed, Failures: 2, Last: &rota.Fire{}}, "error"},
		{"it failed, and then was cancelled", rota.Schedule{Next: soon, Result: rota.ResultCancelled, Failures: 2, Last: &rota.Fire{Result: rota.ResultCancelled}}, "error"},
		{"once, and runs", rota.Schedule{Last: &rota.Fire{}}, "scheduled"},
		{"once, and it has run", rota.Schedule{Result: rota.ResultSucceeded, Last: &rota.Fire{Result: rota.ResultSucceeded}}, "finished"},
		{"once, and it failed", rota.Schedule{Result: rota.ResultFailed, Failures: 1, Last: &rota.Fire{Result: rota.ResultFailed}}, "error"},
		{"once, and it was skipped", rota.Schedule{Last: &rota.Fire{Result: rota.ResultSkipped}}, "finished"},
		{"paused", rota.Schedule{Paused: true, Last: &rota.Fire{Result: rota.ResultSucceeded}}, "scheduled"},
		{"removed", rota.Schedule{Ended: true}, "finished"},
		{"removed when it had failed", rota.Schedule{Ended: true, Failures: 1}, "finished"},
	} {
		if got := cronjobStatus(&tt.s); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestC2Commands(t *testing.T) {
	for _, good := range []string{"ls -la", `echo "it's"`, `a='b"c' d`, "f() { echo $((1+2)); }; f", `echo $(date +"%F")`, "echo \\'", "ls # it's", "echo \"a (b\"", "cat <<E\nx\nE\n",
		"echo `date`", `echo "$(ls "a b")"`} {
		if err := checkCommand(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " \n", `echo "`, "echo '", "echo `x", "(ls", "echo $(ls", `ls \`, "a\x00b", `echo "$(ls"`} {
		if err := checkCommand(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Beside the API the door has the same routes, and the API's are not its own.
func TestC1TheDoorBesideTheAPI(t *testing.T) {
	s := New(&cronjobs{}, Options{Cronjob: &Cronjob{Beside: true, Trust: "kim"}})
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	for path, status := range map[string]int{"/jobs": 200, Prefix + "/jobs": 401, Prefix + "/schedules": 401} {
		r, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, status)
		}
	}
	closed := httptest.NewServer(New(&cronjobs{}, Options{}).Handler())
	defer closed.Close()
	if r, err := http.Get(closed.URL + "/jobs"); err != nil || r.StatusCode != 404 {
		t.Errorf("closed: %v, %v", r.StatusCode, err)
	}
}

func FuzzOpenAtEnd(f *testing.F) {
	f.Add(`echo "$(ls 'a')" \( # x`)
	f.Fuzz(func(_ *testing.T, text string) { openAtEnd(text) })
}

// C3: a script comes as BASE64, is kept, and the answer says where.
func TestC3ScriptsAndBinaries(t *testing.T) {
	for _, kind := range []string{"script", "binary"} {
		svc := &cronjobs{}
		ask := jobsDoor(t, svc, Cronjob{})
		status, got := ask("POST", "/jobs", `{"executable":"IyEvYmluL3NoCmVjaG8gaGVsbG8K","schedule":"@once","type":"`+kind+`"}`, as+"operator")
		if status != 201 || len(svc.kept) != 1 || svc.kept[0] != "#!/bin/sh\necho hello\n" || len(svc.all) != 1 || svc.all[0].Spec.Shell != "" {
			t.Fatalf("%d %s; kept %q, schedules %+v", status, got, svc.kept, svc.all)
		}
		id := string(svc.all[0].Spec.Blob)
		want := `{"id":"7","status":"scheduled","executable":"http://s3.example.org/` + id + `","schedule":"@once","type":"` + kind + `"}`
		if got != want || len(id) != 64 {
			t.Errorf("%s\nwant %s", got, want)
		}
		if _, got := ask("GET", "/jobs", "", as+"viewer"); got != "["+want+"]" {
			t.Errorf("listed %s", got)
		}
	}
}
