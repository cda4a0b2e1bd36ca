package servicetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

var userTests = []contract{
	{"a user logs in by a password, and by no other", userLogsIn},
	{"a changed password ends what was opened by the one before", passwordChanged},
	{"users change their own password only", ownPassword},
	{"who only bears a user's name is not that user", onlyTheName},
	{"Z5 users say who is told of their own jobs, and see themselves only", ownTell},
	{"a token of a user is no more than the user", tokenOfUser},
	{"a user who is removed is nobody", userRemoved},
	{"users that cannot be are refused", wrongUsers},
	{"a link lets in once", linkOnce},
	{"who is limited to queues sees and does nothing elsewhere", limitedToQueues},
	{"who is limited to queues has nothing of their jobs' either", limitedJobs},
}

var auditTests = []contract{
	{"every change has its line, and nothing else has one", everyChangeAudited},
	{"what is refused has none", refusedNotAudited},
	{"C2 nothing that can be asked changes or removes a line", auditStays},
	{"lines say who, from where, what and when", auditLines},
}

func (w *world) user(name string, c rota.UserChange) rota.User {
	w.Helper()
	u, err := w.admin.PutUser(w.admin.ctx, name, c)
	if err != nil {
		w.Fatalf("put user %s: %v", name, err)
	}
	return u
}

// bearing is who bears a token.
func (w *world) bearing(secret string) *client {
	w.Helper()
	p, err := w.Authenticate(w.Context(), secret)
	if err != nil {
		w.Fatalf("authenticate: %v", err)
	}
	return w.as(p)
}

const password = "correct horse"

func userLogsIn(w *world) {
	u := w.user("uma", rota.UserChange{Role: ptr(rota.RoleOperator), Password: ptr(password)})
	if u.Name != "uma" || u.Role != rota.RoleOperator || !u.Password || u.Created.IsZero() {
		w.Errorf("made as %+v", u)
	}
	t, err := w.nobody.Login(w.nobody.ctx, "uma", password)
	if err != nil || t.Secret == "" || t.Expires.IsZero() {
		w.Fatalf("login: %+v, %v", t, err)
	}
	p, err := w.Authenticate(w.Context(), t.Secret)
	if err != nil || p.Name != "uma" || p.User != "uma" || p.Role != rota.RoleOperator {
		w.Errorf("who logged in is %+v, %v", p, err)
	}
	w.user("without", rota.UserChange{Role: ptr(rota.RoleViewer)})
	for name, tried := range map[string]string{"uma": "correct hors", "nobody": password, "without": "", "": password} {
		_, err := w.nobody.Login(w.nobody.ctx, name, tried)
		w.refused("login of "+name+" by "+tried, err, rota.ErrUnauthenticated)
	}
	_, err = w.nobody.Login(w.nobody.ctx, "uma", strings.Repeat("x", 10_000))
	w.refused("a very long password", err, rota.ErrUnauthenticated)
	all, err := w.admin.Users(w.admin.ctx)
	if err != nil || len(all) != 2 || all[0].Hash != "" {
		w.Errorf("users: %+v, %v", all, err)
	}
}

func passwordChanged(w *world) {
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleViewer), Password: ptr(password)})
	login, err := w.nobody.Login(w.nobody.ctx, "uma", password)
	if err != nil {
		w.Fatal(err)
	}
	token := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer, User: "uma"})
	w.user("uma", rota.UserChange{Password: ptr("another one")})
	_, err = w.Authenticate(w.Context(), login.Secret)
	w.refused("the login by the old password", err, rota.ErrUnauthenticated)
	if _, err := w.Authenticate(w.Context(), token.Secret); err != nil {
		w.Errorf("a token that has nothing to do with it: %v", err)
	}
	_, err = w.nobody.Login(w.nobody.ctx, "uma", password)
	w.refused("the old password", err, rota.ErrUnauthenticated)
	if _, err := w.nobody.Login(w.nobody.ctx, "uma", "another one"); err != nil {
		w.Errorf("the new password: %v", err)
	}
	w.user("uma", rota.UserChange{Password: ptr("")})
	_, err = w.nobody.Login(w.nobody.ctx, "uma", "")
	w.refused("no password", err, rota.ErrUnauthenticated)
}

func ownPassword(w *world) {
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleSubmitter), Password: ptr(password)})
	w.user("eve", rota.UserChange{Role: ptr(rota.RoleSubmitter), Password: ptr(password)})
	login, err := w.nobody.Login(w.nobody.ctx, "uma", password)
	if err != nil {
		w.Fatal(err)
	}
	uma := w.bearing(login.Secret)
	for what, c := range map[string]rota.UserChange{"role": {Role: ptr(rota.RoleAdmin)}, "queues": {Queues: ptr("")}, "nothing": {},
		"both": {Role: ptr(rota.RoleSubmitter), Password: ptr("long enough")}} {
		_, err := uma.PutUser(uma.ctx, "uma", c)
		w.refused("the own "+what, err, rota.ErrDenied)
	}
	_, err = uma.PutUser(uma.ctx, "eve", rota.UserChange{Password: ptr("long enough")})
	w.refused("another's password", err, rota.ErrDenied)
	if _, err := uma.PutUser(uma.ctx, "uma", rota.UserChange{Password: ptr("long enough")}); err != nil {
		w.Errorf("the own password: %v", err)
	}
}

func onlyTheName(w *world) {
	w.user("kim", rota.UserChange{Role: ptr(rota.RoleAdmin), Password: ptr(password)})
	token := w.bearing(w.token(rota.Token{Name: "kim", Role: rota.RoleSubmitter}).Secret)
	for what, c := range map[string]*client{"the socket": w.as(rota.Principal{Name: "kim", Role: rota.RoleSubmitter, Login: "kim"}), "a token alone": token} {
		for of, change := range map[string]rota.UserChange{"the password": {Password: ptr("long enough")}, "who is told": {MailTo: []string{"kim@example.org"}}} {
			_, err := c.PutUser(c.ctx, "kim", change)
			w.refused(of+" by "+what, err, rota.ErrDenied)
		}
		if all, err := c.Users(c.ctx); err != nil || len(all) != 0 {
			w.Errorf("by %s one sees %+v, %v", what, all, err)
		}
	}
	if _, err := w.nobody.Login(w.nobody.ctx, "kim", password); err != nil {
		w.Errorf("the password is as it was: %v", err)
	}
}

func ownTell(w *world) {
	for _, name := range []string{"uma", "eve"} {
		w.user(name, rota.UserChange{Role: ptr(rota.RoleSubmitter)})
	}
	uma := w.bearing(w.token(rota.Token{Name: "ci", Role: rota.RoleSubmitter, User: "uma"}).Secret)
	const hook = "https://example.org/hook?key=hush"
	u, err := uma.PutUser(uma.ctx, "uma", rota.UserChange{MailTo: []string{"uma@example.org"}, MailOn: ptr(rota.MailOnEnd), Notify: []string{hook}})
	if err != nil || len(u.MailTo) != 1 || u.MailOn != rota.MailOnEnd || len(u.Notify) != 1 {
		w.Errorf("the own: %+v, %v", u, err)
	}
	if u, err = uma.PutUser(uma.ctx, "uma", rota.UserChange{MailTo: []string{}}); err != nil || len(u.MailTo) != 0 || len(u.Notify) != 1 {
		w.Errorf("one taken away: %+v, %v", u, err)
	}
	for what, call := range map[string]func() error{
		"another's": func() error {
			_, err := uma.PutUser(uma.ctx, "eve", rota.UserChange{MailTo: []string{"uma@example.org"}})
			return err
		},
		"the own, with a role": func() error {
			_, err := uma.PutUser(uma.ctx, "uma", rota.UserChange{Role: ptr(rota.RoleAdmin), MailTo: []string{}})
			return err
		},
	} {
		w.refused(what, call(), rota.ErrDenied)
	}
	_, err = uma.PutUser(uma.ctx, "uma", rota.UserChange{MailTo: []string{"nobody"}})
	w.refused("what is no address", err, rota.ErrInvalid)
	for _, c := range []rota.UserChange{{MailTo: []string{"kim@example.org"}}, {Password: ptr("long enough")}} {
		_, err = w.admin.PutUser(w.admin.ctx, "nobody", c)
		w.refused("of a user who is not there", err, rota.ErrNotFound)
	}
	if all, err := uma.Users(uma.ctx); err != nil || len(all) != 1 || all[0].Name != "uma" || len(all[0].Notify) != 1 {
		w.Errorf("uma sees %+v, %v", all, err)
	}
	if all, err := w.kim.Users(w.kim.ctx); err != nil || len(all) != 0 {
		w.Errorf("who is no user sees %+v, %v", all, err)
	}
	if all, err := w.admin.Users(w.admin.ctx); err != nil || len(all) != 2 || len(all[1].Notify) != 1 {
		w.Errorf("an admin sees %+v, %v", all, err)
	}
	lines, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{By: "uma"})
	if err != nil || len(lines) != 2 || lines[0].Detail != "submitter, who is told of ends" {
		w.Errorf("the audit: %+v, %v", lines, err)
	}
}

func tokenOfUser(w *world) {
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleOperator), Queues: ptr("gpu")})
	t := w.token(rota.Token{Name: "ci", Role: rota.RoleOperator, User: "uma"})
	is := func(role rota.Role, queues string) {
		w.Helper()
		if p, err := w.Authenticate(w.Context(), t.Secret); err != nil || p.Role != role || p.Queues != queues || p.Name != "uma" {
			w.Errorf("its bearer is %+v, %v; want %s of %q", p, err, role, queues)
		}
	}
	is(rota.RoleOperator, "gpu")
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleViewer)})
	is(rota.RoleViewer, "gpu")
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleAdmin), Queues: ptr("")})
	is(rota.RoleOperator, "")
	_, err := w.admin.CreateToken(w.admin.ctx, rota.Token{Name: "ci", Role: rota.RoleViewer, User: "nobody"})
	w.refused("a token of nobody", err, rota.ErrNotFound)
	_, err = w.admin.CreateToken(w.admin.ctx, rota.Token{Name: "ci", Role: rota.RoleViewer, User: "uma", Queues: "x"})
	w.refused("a user's token with queues of its own", err, rota.ErrInvalid)
}

func userRemoved(w *world) {
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleViewer), Password: ptr(password)})
	t := w.token(rota.Token{Name: "ci", Role: rota.RoleViewer, User: "uma"})
	if err := w.admin.DropUser(w.admin.ctx, "uma"); err != nil {
		w.Fatal(err)
	}
	_, err := w.Authenticate(w.Context(), t.Secret)
	w.refused("the token of who was removed", err, rota.ErrUnauthenticated)
	_, err = w.nobody.Login(w.nobody.ctx, "uma", password)
	w.refused("the password of who was removed", err, rota.ErrUnauthenticated)
	w.refused("removing again", w.admin.DropUser(w.admin.ctx, "uma"), rota.ErrNotFound)
	w.user("uma", rota.UserChange{Role: ptr(rota.RoleViewer)})
	_, err = w.Authenticate(w.Context(), t.Secret)
	w.refused("the token of one of the same name before", err, rota.ErrUnauthenticated)
}

func wrongUsers(w *world) {
	for what, c := range map[string]rota.UserChange{"role": {Role: ptr(rota.Role("king"))}, "node's role": {Role: ptr(rota.RoleNode)},
		"short password": {Role: ptr(rota.RoleViewer), Password: ptr("short")}, "queues": {Role: ptr(rota.RoleViewer), Queues: ptr("a b")}, "limited admin": {Role: ptr(rota.RoleAdmin), Queues: ptr("gpu")}} {
		_, err := w.admin.PutUser(w.admin.ctx, "uma", c)
		w.refused(what, err, rota.ErrInvalid)
	}
	for _, name := range []string{"a b", "@node", "a/b", strings.Repeat("x", 100)} {
		_, err := w.admin.PutUser(w.admin.ctx, name, rota.UserChange{Role: ptr(rota.RoleViewer)})
		w.refused("the name "+name, err, rota.ErrInvalid)
	}
	_, err := w.admin.PutUser(w.admin.ctx, "uma", rota.UserChange{Role: ptr(rota.RoleViewer), Password: ptr(strings.Repeat("x", rota.MaxPassword+1))})
	w.refused("a long password", err, rota.ErrTooLarge)
}

func linkOnce(w *world) {
	l, err := w.operator.CreateLink(w.operator.ctx)
	if err != nil || l.Secret == "" || l.Expires.IsZero() {
		w.Fatalf("link %+v, %v", l, err)
	}
	_, err = w.Authenticate(w.Context(), l.Secret)
	w.refused("a link as a token", err, rota.ErrUnauthenticated)
	t, err := w.nobody.Redeem(w.nobody.ctx, l.Secret)
	if err != nil {
		w.Fatal(err)
	}
	if p, err := w.Authenticate(w.Context(), t.Secret); err != nil || p.Name != "ole" || p.Role != rota.RoleOperator {
		w.Errorf("its bearer is %+v, %v", p, err)
	}
	for _, secret := range []string{l.Secret, "", "rtl_", "rtl_00", t.Secret, l.Secret + "0"} {
		_, err = w.nobody.Redeem(w.nobody.ctx, secret)
		w.refused("redeeming "+secret, err, rota.ErrUnauthenticated)
	}
}

// limited is who operates the queue gpu, and a job in it and one elsewhere.
func (w *world) limited() (c *client, in, out rota.JobID) {
	t := w.token(rota.Token{Name: "gina", Role: rota.RoleOperator, Queues: "gpu"})
	return w.bearing(t.Secret), w.kim.submit(run(queued("gpu"))), w.kim.submit(run(queued("cpu")))
}

func limitedToQueues(w *world) {
	c, in, out := w.limited()
	if job, err := c.Job(c.ctx, in); err != nil || job.ID != in {
		w.Errorf("a job of the queue: %v", err)
	}
	if jobs, err := c.Jobs(c.ctx, rota.JobQuery{}); err != nil || len(jobs) != 1 || jobs[0].ID != in {
		w.Errorf("jobs: %+v, %v", jobs, err)
	}
	if tasks, err := c.Tasks(c.ctx, rota.TaskQuery{}); err != nil || len(tasks) != 1 || tasks[0].ID.Job() != in {
		w.Errorf("tasks: %+v, %v", tasks, err)
	}
	if queues, err := c.Queues(c.ctx); err != nil || len(queues) != 1 || queues[0].Name != "gpu" {
		w.Errorf("queues: %+v, %v", queues, err)
	}
	if _, err := w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: run(queued("cpu"))}); err != nil {
		w.Fatal(err)
	}
	if all, err := c.Schedules(c.ctx); err != nil || len(all) != 0 {
		w.Errorf("schedules: %+v, %v", all, err)
	}
	task := rota.PlainTask(out)
	for what, call := range map[string]func() error{
		"job":     func() error { _, err := c.Job(c.ctx, out); return err },
		"task":    func() error { _, _, err := c.Task(c.ctx, task); return err },
		"samples": func() error { _, err := c.Samples(c.ctx, task, 0); return err },
		"watch":   func() error { _, err := c.Watch(c.ctx, out, rota.Progress{}, 0); return err },
		"output": func() error {
			_, err := c.Output(c.ctx, rota.OutputQuery{Task: task, Stream: rota.Stdout}, 0)
			return err
		},
		"upload":       func() error { _, err := c.Upload(c.ctx, out, rota.Part{Number: 1}); return err },
		"jobs":         func() error { _, err := c.Jobs(c.ctx, rota.JobQuery{Filter: rota.Filter{Queue: "cpu"}}); return err },
		"tasks":        func() error { _, err := c.Tasks(c.ctx, rota.TaskQuery{Filter: rota.Filter{Queue: "cpu"}}); return err },
		"submit":       func() error { _, err := c.Submit(c.ctx, rota.Submission{Spec: run(queued("cpu"))}); return err },
		"change queue": func() error { _, err := c.ChangeQueue(c.ctx, "cpu", rota.QueueChange{}); return err },
		"put schedule": func() error {
			_, err := c.PutSchedule(c.ctx, rota.Schedule{Name: "t", Expr: "@daily", Spec: run()})
			return err
		},
		"drop schedule": func() error { return c.DropSchedule(c.ctx, "s") },
		"operate": func() error {
			_, err := c.Operate(c.ctx, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Queue: "cpu"}})
			return err
		},
		"store samples": func() error { _, err := c.StoreSamples(c.ctx, time.Time{}); return err },
		"drain node":    func() error { return c.DrainNode(c.ctx, "n") },
		"pause node":    func() error { return c.PauseNode(c.ctx, "n", true) },
		"remove node":   func() error { return c.RemoveNode(c.ctx, "n", true) },
		"blobs":         func() error { _, err := c.Blobs(c.ctx, rota.BlobQuery{}); return err },
	} {
		w.refused(what+" elsewhere", call(), rota.ErrDenied)
	}
	for what, f := range map[string]rota.Filter{"by its number": jobs(out), "all of somebody": {Submitter: "kim"}, "by queues": {Queues: []string{"cpu", "gpu"}}} {
		if op := c.operate(rota.ActHold, f); op.Done > 1 {
			w.Errorf("%s: %d were held", what, op.Done)
		}
	}
	if state := w.kim.job(out).State(); state != rota.Ready {
		w.Errorf("the job elsewhere is %v", state)
	}
	if state := w.kim.job(in).State(); state != rota.Held {
		w.Errorf("the job of the queue is %v", state)
	}
	c.submit(run(queued("gpu")))
	beside := w.kim.submit(run(queued("gpu"), after(rota.AfterAny, in, out)))
	if edges, err := c.Edges(c.ctx, rota.EdgeQuery{Of: []rota.JobID{in, out}}); err != nil || !slices.Equal(edges, []rota.Edge{{Job: beside, On: in, When: rota.AfterAny}}) {
		w.Errorf("edges: %+v, %v", edges, err)
	}
}

func limitedJobs(w *world) {
	t := w.token(rota.Token{Name: "gina", Role: rota.RoleOperator, Queues: "gpu"})
	c := w.bearing(t.Secret)
	c.submit(run(queued("gpu")))
	a := w.node("n1").claimOne()
	inside := w.bearing(a.Token)
	_, err := inside.Submit(inside.ctx, rota.Submission{Spec: run(queued("cpu"))})
	w.refused("from within a job, elsewhere", err, rota.ErrDenied)
	inside.submit(run(queued("gpu")))
}

func (w *world) deeds() []rota.Deed {
	w.Helper()
	all, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{Max: 1000})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func everyChangeAudited(w *world) {
	job := w.kim.submit(run(held))
	w.node("n1")
	var token rota.Token
	var link rota.Link
	changes := []struct {
		what string
		call func() error
	}{
		{"put user", func() error {
			_, err := w.admin.PutUser(w.admin.ctx, "uma", rota.UserChange{Role: ptr(rota.RoleSubmitter), Password: ptr(password)})
			return err
		}},
		{"login", func() error { _, err := w.nobody.Login(w.nobody.ctx, "uma", password); return err }},
		{"create link", func() (err error) { link, err = w.operator.CreateLink(w.operator.ctx); return err }},
		{"redeem link", func() error { _, err := w.nobody.Redeem(w.nobody.ctx, link.Secret); return err }},
		{"create token", func() (err error) {
			token, err = w.admin.CreateToken(w.admin.ctx, rota.Token{Name: "t", Role: rota.RoleViewer})
			return err
		}},
		{"drop token", func() error { return w.admin.DropToken(w.admin.ctx, token.ID) }},
		{"remove user", func() error { return w.admin.DropUser(w.admin.ctx, "uma") }},
		{"hold", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActHold, Filter: jobs(job)})
			return err
		}},
		{"release", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActRelease, Filter: jobs(job)})
			return err
		}},
		{"cancel", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActCancel, Filter: jobs(job)})
			return err
		}},
		{"retry", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActRetry, Filter: jobs(job)})
			return err
		}},
		{"kill", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActKill, Filter: jobs(job)})
			return err
		}},
		{"remove", func() error {
			_, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActRemove, Filter: jobs(job)})
			return err
		}},
		{"change queue", func() error { _, err := w.operator.ChangeQueue(w.operator.ctx, "q", rota.QueueChange{}); return err }},
		{"put schedule", func() error {
			_, err := w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: run()})
			return err
		}},
		{"drop schedule", func() error { return w.kim.DropSchedule(w.kim.ctx, "s") }},
		{"put blob", func() error { w.kim.putBlob("b", "bytes"); return nil }},
		{"drop blob", func() error { return w.kim.DropBlob(w.kim.ctx, blobNamed("b", "bytes").ID) }},
		{"pause node", func() error { return w.operator.PauseNode(w.operator.ctx, "n1", true) }},
		{"resume node", func() error { return w.operator.PauseNode(w.operator.ctx, "n1", false) }},
		{"drain node", func() error { return w.operator.DrainNode(w.operator.ctx, "n1") }},
	}
	before := len(w.deeds())
	for _, c := range changes {
		if err := c.call(); err != nil {
			w.Errorf("%s: %v", c.what, err)
			continue
		}
		all := w.deeds()
		if len(all) != before+1 || all[0].What != c.what {
			w.Errorf("%s: %d lines more, the newest %+v", c.what, len(all)-before, all[0])
		}
		before = len(all)
	}
	// What only looks leaves no line.
	for _, m := range methods {
		if strings.HasSuffix(m.name, "s") && m.least == rota.RoleViewer || m.name == "Output" || m.name == "Job" {
			_ = m.call(w.admin)
		}
	}
	if all := w.deeds(); len(all) != before {
		w.Errorf("looking has added %+v", all[0])
	}
}

func refusedNotAudited(w *world) {
	before := len(w.deeds())
	_, err := w.viewer.ChangeQueue(w.viewer.ctx, "q", rota.QueueChange{})
	w.refused("a viewer", err, rota.ErrDenied)
	w.refused("no such token", w.admin.DropToken(w.admin.ctx, 4711), rota.ErrNotFound)
	w.refused("no such schedule", w.admin.DropSchedule(w.admin.ctx, "none"), rota.ErrNotFound)
	if _, err := w.admin.Operate(w.admin.ctx, rota.Operation{Act: rota.ActCancel, Filter: rota.Filter{Name: "x"}, DryRun: true}); err != nil {
		w.Error(err)
	}
	if all := w.deeds(); len(all) != before {
		w.Errorf("added: %+v", all[0])
	}
	for _, c := range []*client{w.viewer, w.kim, w.operator} {
		_, err := c.Audit(c.ctx, rota.DeedQuery{})
		w.refused("the audit for "+c.name(), err, rota.ErrDenied)
	}
	if _, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{Max: -1}); !errors.Is(err, rota.ErrInvalid) {
		w.Errorf("a wrong number of lines: %v", err)
	}
}

func auditStays(w *world) {
	w.node("n")
	for _, name := range []string{"a", "b"} {
		if _, err := w.operator.ChangeQueue(w.operator.ctx, name, rota.QueueChange{}); err != nil {
			w.Fatal(err)
		}
	}
	was := w.deeds()
	for range 2 {
		for _, m := range methods {
			for _, c := range []*client{w.admin, w.kim, w.nobody} {
				_ = m.call(c)
			}
			now := w.deeds()
			if len(now) < len(was) || !slices.Equal(now[len(now)-len(was):], was) {
				w.Errorf("after %s the audit has %+v, and had %+v", m.name, now, was)
			}
			was = now
		}
	}
}

func auditLines(w *world) {
	for _, name := range []string{"a", "b", "c"} {
		if _, err := w.operator.ChangeQueue(w.operator.ctx, name, rota.QueueChange{}); err != nil {
			w.Fatal(err)
		}
	}
	all := w.deeds()
	if len(all) != 3 || all[0].On != "queue c" || all[2].On != "queue a" || all[0].By != "ole" || all[0].At.IsZero() || all[0].ID <= all[1].ID {
		w.Errorf("lines: %+v", all)
	}
	page, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{Before: all[0].ID, Max: 1})
	if err != nil || len(page) != 1 || page[0].ID != all[1].ID {
		w.Errorf("the page after the first line: %+v, %v", page, err)
	}
	if got, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{By: "ole", What: "change queue"}); err != nil || len(got) != 3 {
		w.Errorf("by whom and what: %+v, %v", got, err)
	}
	if got, err := w.admin.Audit(w.admin.ctx, rota.DeedQuery{By: "eve"}); err != nil || len(got) != 0 {
		w.Errorf("by somebody else: %+v, %v", got, err)
	}
}
