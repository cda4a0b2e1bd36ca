package servicetest

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

var permitTests = []contract{
	{"each method asks for its role", eachMethodEachRole},
	{"nobody may nothing", nobodyMay},
	{"the table names every method", everyMethodNamed},
}

// anybody is the role of methods that ask nobody who they are: what they are given is what lets in.
const anybody = rota.Role("anybody")

// methods are all methods of the Service, each with the least role that may call it, and a call that fails, if at all,
// for another reason than that.
var methods = []struct {
	name  string
	least rota.Role
	call  func(c *client) error
}{
	{"Submit", rota.RoleSubmitter, func(c *client) error { _, err := c.Submit(c.ctx, rota.Submission{Spec: run()}); return err }},
	{"Upload", rota.RoleSubmitter, func(c *client) error {
		_, err := c.Upload(c.ctx, 4711, rota.Part{Number: 1, Lines: []string{"a"}})
		return err
	}},
	{"Job", rota.RoleViewer, func(c *client) error { _, err := c.Job(c.ctx, 4711); return err }},
	{"Jobs", rota.RoleViewer, func(c *client) error { _, err := c.Jobs(c.ctx, rota.JobQuery{}); return err }},
	{"Task", rota.RoleViewer, func(c *client) error { _, _, err := c.Task(c.ctx, rota.PlainTask(4711)); return err }},
	{"Tasks", rota.RoleViewer, func(c *client) error { _, err := c.Tasks(c.ctx, rota.TaskQuery{}); return err }},
	{"Watch", rota.RoleViewer, func(c *client) error { _, err := c.Watch(c.ctx, 4711, rota.Progress{}, 0); return err }},
	{"Output", rota.RoleViewer, func(c *client) error {
		_, err := c.Output(c.ctx, rota.OutputQuery{Task: rota.PlainTask(4711), Stream: rota.Stdout}, 0)
		return err
	}},
	{"Operate", rota.RoleSubmitter, func(c *client) error {
		_, err := c.Operate(c.ctx, rota.Operation{Act: rota.ActHold, Filter: rota.Filter{Name: "none"}})
		return err
	}},
	{"Usage", rota.RoleViewer, func(c *client) error { _, err := c.Usage(c.ctx, rota.UsageQuery{}); return err }},
	{"Operation", rota.RoleViewer, func(c *client) error { _, err := c.Operation(c.ctx, 4711); return err }},
	{"Status", rota.RoleViewer, func(c *client) error { _, err := c.Status(c.ctx); return err }},
	{"Queues", rota.RoleViewer, func(c *client) error { _, err := c.Queues(c.ctx); return err }},
	{"ChangeQueue", rota.RoleOperator, func(c *client) error {
		_, err := c.ChangeQueue(c.ctx, "q", rota.QueueChange{})
		return err
	}},
	{"RenameQueue", rota.RoleOperator, func(c *client) error { _, err := c.RenameQueue(c.ctx, "none", "other"); return err }},
	{"DropQueue", rota.RoleOperator, func(c *client) error { return c.DropQueue(c.ctx, "none") }},
	{"Nodes", rota.RoleViewer, func(c *client) error { _, err := c.Nodes(c.ctx); return err }},
	{"DrainNode", rota.RoleOperator, func(c *client) error { return c.DrainNode(c.ctx, "none") }},
	{"ChangeNode", rota.RoleOperator, func(c *client) error { _, err := c.ChangeNode(c.ctx, "none", rota.NodeChange{}); return err }},
	{"PauseNode", rota.RoleOperator, func(c *client) error { return c.PauseNode(c.ctx, "none", true) }},
	{"RemoveNode", rota.RoleOperator, func(c *client) error { return c.RemoveNode(c.ctx, "none", true) }},
	{"Why", rota.RoleViewer, func(c *client) error { _, err := c.Why(c.ctx, rota.PlainTask(4711)); return err }},
	{"Failures", rota.RoleViewer, func(c *client) error { _, err := c.Failures(c.ctx, rota.FailureQuery{}); return err }},
	{"Samples", rota.RoleViewer, func(c *client) error { _, err := c.Samples(c.ctx, rota.PlainTask(4711), 1); return err }},
	{"Edges", rota.RoleViewer, func(c *client) error { _, err := c.Edges(c.ctx, rota.EdgeQuery{}); return err }},
	{"StoreSamples", rota.RoleViewer, func(c *client) error { _, err := c.StoreSamples(c.ctx, time.Time{}); return err }},
	{"NodeSamples", rota.RoleViewer, func(c *client) error { _, err := c.NodeSamples(c.ctx, "none", time.Time{}); return err }},
	{"PutSchedule", rota.RoleSubmitter, func(c *client) error {
		_, err := c.PutSchedule(c.ctx, rota.Schedule{Name: "of-" + c.name(), Expr: "@daily", Spec: run()})
		return err
	}},
	{"Schedules", rota.RoleViewer, func(c *client) error { _, err := c.Schedules(c.ctx); return err }},
	{"Schedule", rota.RoleViewer, func(c *client) error { _, err := c.Schedule(c.ctx, "none"); return err }},
	{"FireSchedule", rota.RoleSubmitter, func(c *client) error { _, err := c.FireSchedule(c.ctx, "none"); return err }},
	{"DropSchedule", rota.RoleSubmitter, func(c *client) error { return c.DropSchedule(c.ctx, "none") }},
	{"CreateToken", rota.RoleAdmin, func(c *client) error {
		_, err := c.CreateToken(c.ctx, rota.Token{Name: "t", Role: rota.RoleViewer})
		return err
	}},
	{"Tokens", rota.RoleAdmin, func(c *client) error { _, err := c.Tokens(c.ctx); return err }},
	{"PutSecret", rota.RoleSubmitter, func(c *client) error { return c.PutSecret(c.ctx, "permitted", "x") }},
	{"Secrets", rota.RoleSubmitter, func(c *client) error { _, err := c.Secrets(c.ctx); return err }},
	{"DropSecret", rota.RoleSubmitter, func(c *client) error { return c.DropSecret(c.ctx, "no-such") }},
	{"DropToken", rota.RoleAdmin, func(c *client) error { return c.DropToken(c.ctx, 4711) }},
	{"Users", rota.RoleViewer, func(c *client) error { _, err := c.Users(c.ctx); return err }},
	{"PutUser", rota.RoleAdmin, func(c *client) error { _, err := c.PutUser(c.ctx, "u", rota.UserChange{}); return err }},
	{"DropUser", rota.RoleAdmin, func(c *client) error { return c.DropUser(c.ctx, "none") }},
	{"Login", anybody, func(c *client) error { _, err := c.Login(c.ctx, "none-"+c.name(), "wrong"); return err }},
	{"CreateLink", rota.RoleViewer, func(c *client) error { _, err := c.CreateLink(c.ctx); return err }},
	{"Redeem", anybody, func(c *client) error { _, err := c.Redeem(c.ctx, "rtl_none"); return err }},
	{"Audit", rota.RoleAdmin, func(c *client) error { _, err := c.Audit(c.ctx, rota.DeedQuery{}); return err }},
	{"OpenSession", rota.RoleNode, func(c *client) error {
		_, err := c.OpenSession(c.ctx, rota.Opening{Session: "s", Key: "k", Node: rota.Node{Name: "n", Slots: 1}})
		return err
	}},
	{"Await", rota.RoleNode, func(c *client) error { _, err := c.Await(c.ctx, "s", 0); return err }},
	{"Renew", rota.RoleNode, func(c *client) error {
		_, err := c.Renew(c.ctx, rota.Renewal{Session: "s", State: rota.NodeUp})
		return err
	}},
	{"Exchange", rota.RoleNode, func(c *client) error { _, err := c.Exchange(c.ctx, rota.Exchange{Session: "s", Seq: 1}); return err }},
	{"KeepOutput", rota.RoleNode, func(c *client) error {
		return c.KeepOutput(c.ctx, rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, []rota.Chunk{chunk(rota.Stdout, []byte("x"))})
	}},
	{"KeepArtifact", rota.RoleNode, func(c *client) error {
		return c.KeepArtifact(c.ctx, artifactOf(rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, "x", "x"), strings.NewReader("x"))
	}},
	{"Artifacts", rota.RoleViewer, func(c *client) error { _, err := c.Artifacts(c.ctx, rota.ArtifactQuery{Job: 4711}); return err }},
	{"ReadArtifact", rota.RoleViewer, func(c *client) error {
		_, _, err := c.ReadArtifact(c.ctx, rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, "x", 0, 1)
		return err
	}},
	{"ShowOutput", rota.RoleNode, func(c *client) error {
		return c.ShowOutput(c.ctx, rota.Look{Try: rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, Stream: rota.Stdout, Number: 1}, rota.Output{})
	}},
	{"Input", rota.RoleNode, func(c *client) error { _, _, err := c.Input(c.ctx, 4711, 0, 1); return err }},
	{"PutBlob", rota.RoleSubmitter, func(c *client) error {
		_, err := c.PutBlob(c.ctx, blobNamed("p", "text"), strings.NewReader("text"))
		return err
	}},
	{"Blob", rota.RoleViewer, func(c *client) error { _, err := c.Blob(c.ctx, noBlob); return err }},
	{"ReadBlob", rota.RoleViewer, func(c *client) error { _, _, err := c.ReadBlob(c.ctx, noBlob, 0, 1); return err }},
	{"Blobs", rota.RoleViewer, func(c *client) error { _, err := c.Blobs(c.ctx, rota.BlobQuery{}); return err }},
	{"DropBlob", rota.RoleSubmitter, func(c *client) error { return c.DropBlob(c.ctx, noBlob) }},
	{"Program", rota.RoleNode, func(c *client) error { _, _, err := c.Program(c.ctx, 4711, 0, 1); return err }},
	{"CloseSession", rota.RoleNode, func(c *client) error { return c.CloseSession(c.ctx, "s") }},
}

func (c *client) name() string {
	p, _ := rota.PrincipalOf(c.ctx)
	return p.Name
}

func eachMethodEachRole(w *world) {
	for _, role := range append([]rota.Role{"guest", "", rota.RoleNode}, rota.Roles...) {
		p := rota.Principal{Name: "some-" + string(role) + "body", Role: role}
		if role == rota.RoleNode {
			p.Node = "n" // which is the one that the calls are about
		}
		c := w.as(p)
		for _, m := range methods {
			err := m.call(c)
			if m.least == anybody {
				w.refused(m.name+" as "+string(role), err, rota.ErrUnauthenticated)
				continue
			}
			if errors.Is(err, rota.ErrUnauthenticated) || errors.Is(err, rota.ErrInternal) {
				w.Errorf("%s as %q: %v", m.name, role, err)
			}
			if denied, want := errors.Is(err, rota.ErrDenied), !role.May(m.least); denied != want {
				w.Errorf("%s as %q: got error %v; refused for the role: want %v", m.name, role, err, want)
			} else if denied && rota.FixOf(err) == "" {
				w.Errorf("%s as %q: the refusal %q does not say what to do", m.name, role, err)
			}
		}
	}
}

func nobodyMay(w *world) {
	for _, m := range methods {
		w.refused(m.name+" by nobody", m.call(w.nobody), rota.ErrUnauthenticated)
	}
}

func everyMethodNamed(w *world) {
	service := reflect.TypeFor[rota.Service]()
	named := map[string]bool{}
	for _, m := range methods {
		named[m.name] = true
	}
	for i := range service.NumMethod() {
		if name := service.Method(i).Name; !named[name] {
			w.Errorf("%s is not in the table", name)
		}
	}
	equal(w, "methods in the table", len(named), service.NumMethod())
}
