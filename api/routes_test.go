package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

var inBraces = regexp.MustCompile(`\{[^}]*\}`)

// target is a path that the route takes.
func (rt *route) target() string { return inBraces.ReplaceAllString(rt.path, "1") }

// TestEveryRouteAsksForItsRole walks every route with every role, with nobody, and with a wrong token.
func TestEveryRouteAsksForItsRole(t *testing.T) {
	s := New(&spy{}, Options{Authenticate: byRole, Log: quiet(), Metrics: http.NotFoundHandler()})
	for i := range routes {
		rt := &routes[i]
		t.Run(rt.pattern(), func(t *testing.T) {
			for _, role := range append([]rota.Role{"", "wrong", rota.RoleNode}, rota.Roles...) {
				code := ask(s, rt.method, rt.target(), string(role), "{}").Code
				refused := code == http.StatusUnauthorized || code == http.StatusForbidden
				want := 0
				switch {
				case rt.role == anybody:
				case role.Rank() < 0 && role != rota.RoleNode:
					want = http.StatusUnauthorized
				case rt.role == rota.RoleNode && (role == rota.RoleNode || role == rota.RoleAdmin):
				case role.Rank() < rt.role.Rank(), rt.role == rota.RoleNode:
					want = http.StatusForbidden
				}
				if want != 0 && code != want || want == 0 && refused {
					t.Errorf("role %q: %d, and the table says %q", role, code, rt.role)
				}
				if code == http.StatusNotFound && rt.name != "metrics" || code == http.StatusMethodNotAllowed {
					t.Errorf("role %q: %d: the route is not served", role, code)
				}
			}
		})
	}
}

// TestOnlyTheseRoutesAskNobody: whoever adds one to this list does so twice.
func TestOnlyTheseRoutesAskNobody(t *testing.T) {
	open := map[string]bool{"/": true, "/livez": true, "/readyz": true, Prefix + "/openapi.json": true, Prefix + "/openapi.yaml": true,
		Prefix + "/login": true, Prefix + "/links/redeem": true} // what they are given is what lets in
	for i := range routes {
		if rt := &routes[i]; (rt.role == anybody) != open[rt.path] || (rt.role != anybody && rt.role.Rank() < 0 && rt.role != node) {
			t.Errorf("%s has the role %q", rt.pattern(), rt.role)
		}
	}
}

func TestARouteOutsideTheTableIsNotServed(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	newDoors(Options{}, routes).HandleFunc("GET /debug", func(http.ResponseWriter, *http.Request) {})
}

func TestTheDescriptionHasEveryRoute(t *testing.T) {
	s := New(&spy{}, Options{})
	w := ask(s, "GET", Prefix+"/openapi.json", "", "")
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID, Summary string }
		Components struct{ Schemas map[string]schemaText }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	described := 0
	for _, item := range doc.Paths {
		described += len(item)
	}
	if described != len(routes) {
		t.Errorf("%d operations are described, %d are in the table", described, len(routes))
	}
	for i := range routes {
		rt := &routes[i]
		if op, ok := doc.Paths[rt.path][strings.ToLower(rt.method)]; !ok || op.OperationID != rt.name || op.Summary == "" {
			t.Errorf("%s is described as %+v", rt.pattern(), op)
		}
	}
	spec, task := doc.Components.Schemas["Spec"], doc.Components.Schemas["Task"]
	if p := spec.Properties["timeout"]; p.Type != "string" || p.Pattern == "" {
		t.Errorf("a duration is described as %+v", p)
	}
	if p := spec.Properties["argv"]; len(spec.Required) != 0 || p.Type == nil {
		t.Errorf("a spec is described as %+v", spec)
	}
	if p := task.Properties["state"]; p.Type != "string" || len(p.Enum) != len(rota.States) {
		t.Errorf("a state is described as %+v", p)
	}
	if p := task.Properties["id"]; p.Type != "string" || p.Pattern == "" {
		t.Errorf("a task's id is described as %+v", p)
	}
	if w := ask(s, "GET", Prefix+"/openapi.yaml", "", ""); !strings.Contains(w.Body.String(), "\npaths:\n") {
		t.Errorf("as YAML: %.200s", w.Body)
	}
}

type schemaText struct {
	Type       any
	Pattern    string
	Enum       []any
	Required   []string
	Properties map[string]schemaText
}

// TestThePatternsTakeWhatTheParsersTake: huma checks parameters against them after they have been parsed.
func TestThePatternsTakeWhatTheParsersTake(t *testing.T) {
	r := newRegistry()
	for _, s := range []string{"90m", "1.5h", "2d12h", "45", "30:00", "01:30:00", "+5m", ".5s", "1e3", "1h2m3s4ms5µs6μs7ns", "-0s"} {
		if _, err := rota.ParseDuration(s); err != nil {
			t.Errorf("%q is no duration any more: %v", s, err)
		}
		if got := misfits(r, []byte(`{"timeout":"`+s+`"}`), &rota.Spec{}); len(got) > 0 {
			t.Errorf("%q: %v", s, got)
		}
	}
}
