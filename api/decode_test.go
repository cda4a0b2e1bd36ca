package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestWrongRequestsAreRefusedWithTheirField(t *testing.T) {
	s := New(&spy{}, Options{Authenticate: byRole, Log: quiet()})
	deep := strings.Repeat(`{"spec":`, 100) + strings.Repeat(`}`, 100)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/jobs", `{"spec":{"argvv":["x"]}}`, "spec.argvv: unexpected property"},
		{"POST", "/jobs", `{"spec":{},"kee":1}`, "kee: unexpected property"},
		{"POST", "/jobs", `{"spec":{"priority":"high"}}`, "spec.priority: expected integer"},
		{"POST", "/jobs", `{"spec":{"priority":1.5}}`, "spec.priority"},
		{"POST", "/jobs", `{"spec":{"priority":1e99}}`, "spec.priority"},
		{"POST", "/jobs", `{"spec":{"argv":"true"}}`, "spec.argv"},
		{"POST", "/jobs", `{"spec":{"argv":[1]}}`, "spec.argv[0]"},
		{"POST", "/jobs", `{"spec":{"timeout":5}}`, "spec.timeout"},
		{"POST", "/jobs", `{"spec":{"timeout":"soon"}}`, `spec.timeout: duration "soon": write 90m`},
		{"POST", "/jobs", `{"spec":{"timeout":"30:99"}}`, `duration "30:99": write 90m`},
		{"POST", "/jobs", `{"spec":{"retry":{"first":"x"}}}`, `spec.retry.first: duration "x"`},
		{"POST", "/jobs", `{"spec":{"at":"tomorrow"}}`, "spec.at"},
		{"POST", "/jobs", `{"spec":{"after":[{"job":"1","when":"ok"}]}}`, "spec.after[0].job"},
		{"POST", "/jobs", `{"input":"%%%"}`, "base64"},
		{"POST", "/jobs", `[]`, "expected object"},
		{"POST", "/jobs", `{"spec":{}`, "ends too early"},
		{"POST", "/jobs", `{"spec":{}}}`, "byte 11"},
		{"POST", "/jobs", `{"spec":{}} {}`, "byte 12"},
		{"POST", "/jobs", `{spec:1}`, "not JSON"},
		{"POST", "/jobs", "{\"spec\":{\"name\":\"\xff\"}}", "UTF-8"},
		{"POST", "/jobs", deep, "nested deeper than 32"},
		{"POST", "/jobs", "", "body is required"},
		{"POST", "/jobs/1/parts", `{"number":"one"}`, "number"},
		{"POST", "/jobs?dry=1", `{"spec":{}}`, "query.dry: unknown query parameter"},
		{"POST", "/operations", `{"act":"cancel","filter":{"states":["runing"]}}`, `filter.states: state "runing": not a state`},
		{"POST", "/operations", `{"act":"cancel","filter":{"tasks":[{"first":"4x","last":"5"}]}}`, `filter.tasks[0].first: task "4x"`},
		{"POST", "/operations", `{"act":"cancel","filter":{},"id":7}`, "id: unexpected property"},
		{"GET", "/jobs?state=ready", "", "query.state: unknown query parameter"},
		{"GET", "/jobs?states=redy", "", `state "redy": not a state`},
		{"GET", "/jobs?max=many", "", "query.max: invalid integer"},
		{"GET", "/jobs?max=-1", "", "query.max"},
		{"GET", "/jobs?active=perhaps", "", "query.active: invalid boolean"},
		{"GET", "/jobs?label=k", "", "query.label"},
		{"GET", "/jobs/seven", "", "path.job: invalid integer"},
		{"GET", "/tasks/4x", "", `path.task: task "4x": not an id`},
		{"GET", "/tasks/1.99999999", "", "path.task"},
		{"GET", "/tasks?after=x", "", `query.after: task "x"`},
		{"GET", "/tasks?tasks=1-", "", "query.tasks"},
		{"GET", "/tasks/1/output?stream=stdin", "", "query.stream"},
		{"GET", "/tasks/1/output?wait=soon", "", `query.wait: duration "soon"`},
		{"GET", "/tasks/1/output?offset=1.5", "", "query.offset: invalid integer"},
		{"DELETE", "/tokens/first", "", "path.token: invalid integer"},
	} {
		w := ask(s, c.method, Prefix+c.path, "admin", c.body)
		p := problemIn(t, w.Body.Bytes())
		if w.Code != http.StatusBadRequest || p.Kind != "invalid" || !strings.Contains(p.Detail, c.want) {
			t.Errorf("%s %s %.60s: %d %+v, want %q", c.method, c.path, c.body, w.Code, p, c.want)
		}
		if got := w.Header().Get("Content-Type"); got != problemType {
			t.Errorf("%s %s: content type %q", c.method, c.path, got)
		}
	}
}

func TestABodyOfAnotherTypeIsRefused(t *testing.T) {
	s := New(&spy{}, Options{Authenticate: byRole})
	r := newRequest("POST", Prefix+"/jobs", "admin", `{"spec":{}}`)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := send(s, r)
	if p := problemIn(t, w.Body.Bytes()); w.Code != 400 || !strings.Contains(p.Fix, "application/json") {
		t.Errorf("%d %+v", w.Code, p)
	}
}

func TestALargeBodyIsRefused(t *testing.T) {
	svc := &spy{}
	s := New(svc, Options{Authenticate: byRole})
	for _, known := range []bool{true, false} {
		r := newRequest("POST", Prefix+"/jobs", "admin", `{"spec":{"shell":"`+strings.Repeat("x", rota.MaxBody)+`"}}`)
		if !known {
			r.ContentLength = -1
		}
		w := send(s, r)
		if p := problemIn(t, w.Body.Bytes()); w.Code != 413 || p.Kind != "too-large" || p.Fix == "" {
			t.Errorf("length known %v: %d %+v", known, w.Code, p)
		}
	}
	full := `{"spec":{"shell":"` + strings.Repeat("x", rota.MaxBody-21) + `"}}`
	if len(full) != rota.MaxBody {
		t.Fatal(len(full))
	}
	if w := ask(s, "POST", Prefix+"/jobs", "admin", full); w.Code != 200 {
		t.Errorf("a body of just the limit: %d %.200s", w.Code, w.Body)
	}
}

func TestSpansSurviveTheirText(t *testing.T) {
	for _, spans := range [][]rota.Span{
		nil,
		{rota.SpanOf(42)},
		{{First: rota.PlainTask(42), Last: rota.PlainTask(42)}},
		{{First: rota.Element(42, 0), Last: rota.Element(42, 9)}, rota.SpanOf(7), {First: rota.PlainTask(1), Last: rota.PlainTask(9)}},
		{{First: rota.Element(1, 3), Last: rota.SpanOf(5).Last}},
	} {
		text := formatSpans(spans)
		got, err := parseSpans(text)
		if err != nil || !equal(got, spans) {
			t.Errorf("%v is written %q and read %v, %v", spans, text, got, err)
		}
	}
	for text, want := range map[string][]rota.Span{
		"42":        {rota.SpanOf(42)},
		"42.7":      {{First: rota.Element(42, 7), Last: rota.Element(42, 7)}},
		"40-45":     {{First: rota.PlainTask(40), Last: rota.SpanOf(45).Last}},
		"42.1-42.9": {{First: rota.Element(42, 1), Last: rota.Element(42, 9)}},
		"1,2":       {rota.SpanOf(1), rota.SpanOf(2)},
	} {
		if got, err := parseSpans(text); err != nil || !equal(got, want) {
			t.Errorf("%q is read %v, %v", text, got, err)
		}
	}
}

func equal(a, b []rota.Span) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// FuzzSubmitBody: no body makes the server fail, and what it takes means the same when it is sent on.
func FuzzSubmitBody(f *testing.F) {
	for _, seed := range []string{`{"spec":{"argv":["true"]},"key":"k"}`, `{"spec":{"timeout":"1h","at":"2026-01-01T00:00:00Z"}}`,
		`{"spec":{"array":{"ranges":[{"first":1,"last":9}]},"limit":2}}`, `{"spec":{"after":[{"job":1,"when":"ok"}],"retry":{"count":0}}}`,
		`{"lines":["a","b"],"input":"aGk=","more":true}`, `null`, `[[[[`, "{\"spec\":{\"name\":\"\xff\"}}", `{"spec":{"name":"\ud800"}}`} {
		f.Add([]byte(seed))
	}
	r := newRegistry()
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second rota.Submission
		if err := decode(r, data, &first); err != nil {
			if k := rota.KindOf(err); k.Err != rota.ErrInvalid {
				t.Fatalf("%v is of the kind %s", err, k.Name)
			}
			return
		}
		text, err := encode(&first, false)
		if err != nil {
			return // a time or a size that JSON does not take back
		}
		if err := decode(r, text, &second); err != nil {
			t.Fatalf("what was taken is refused when sent on: %v\n%s", err, text)
		}
		again, err := encode(&second, false)
		if err != nil || string(again) != string(text) {
			t.Fatalf("%s became %s, %v", text, again, err)
		}
	})
}

// FuzzQuery: no query makes the server fail otherwise than by saying what is wrong.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"tasks=1-5,8&states=ready", "label=a=b&label=c=d&parent=1.2", "tasks=42.&max=3&newest=true", "after=%zz", ";"} {
		f.Add(seed)
	}
	s := New(&spy{}, Options{Authenticate: byRole, Log: quiet()})
	f.Fuzz(func(t *testing.T, q string) {
		r := newRequest("GET", Prefix+"/tasks", "viewer", "")
		r.URL.RawQuery = q
		if w := send(s, r); w.Code != 200 && w.Code != 400 {
			t.Fatalf("%q: %d %s", q, w.Code, w.Body)
		}
		if vs, err := url.ParseQuery(q); err == nil {
			if spans, err := parseSpans(vs.Get("tasks")); err == nil {
				if got, err := parseSpans(formatSpans(spans)); err != nil || !equal(got, spans) {
					t.Fatalf("%v became %v, %v", spans, got, err)
				}
			}
		}
	})
}
