package api

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// fill puts something other than zero into everything that v is made of, each time something else.
func fill(v reflect.Value, n *int) {
	*n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Date(2026, 3, 29, 1, *n%60, 0, 123456000, time.UTC)
		return
	case *rota.TaskID:
		*p = rota.Element(rota.JobID(*n), *n)
		return
	case *rota.State:
		*p = rota.States[*n%len(rota.States)]
		return
	case *rota.Stream:
		*p = rota.Stderr
		return
	case *rota.BlobID:
		*p = rota.BlobID(fmt.Sprintf("%064x", *n))
		return
	case *rota.By:
		*p = rota.ByName
		return
	case *io.Reader:
		*p = strings.NewReader("")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text <%d> & äöü \u2028 \ufffd \\ufffd", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n%256) | 0x80)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	default:
		panic("fill: " + v.Type().String())
	}
}

// stay takes out what does not travel by design.
func stay(v any) any {
	switch x := v.(type) {
	case rota.Operation: // the rest is the server's to say
		return rota.Operation{Act: x.Act, Filter: x.Filter, Edit: x.Edit, Reason: x.Reason, DryRun: x.DryRun}
	case rota.JobQuery: // of queues that somebody may see no others of, the server alone speaks
		x.Queues = nil
		return x
	case rota.TaskQuery:
		x.Queues = nil
		return x
	case rota.FailureQuery:
		x.Queues = nil
		return x
	case rota.Schedule:
		x.Next, x.Last, x.Result, x.Failures, x.Alarms = time.Time{}, nil, "", 0, nil
		return x
	case rota.Token:
		return rota.Token{Name: x.Name, Role: x.Role, Node: x.Node, Expires: x.Expires, User: x.User, Queues: x.Queues}
	case rota.Opening:
		x.Token = 0 // the server sets it
		return x
	case rota.Exchange:
		x.Claim.Home = "" // likewise
		return x
	}
	return v
}

// back takes out what an answer keeps to itself.
func back(v any) any {
	switch x := v.(type) {
	case rota.Task:
		x.Session = ""
		return x
	case []rota.Task:
		for i := range x {
			x[i].Session = ""
		}
	case []rota.Attempt:
		for i := range x {
			x[i].Session = ""
		}
	case rota.User:
		x.Hash = ""
		return x
	case []rota.User:
		for i := range x {
			x[i].Hash = ""
		}
	case []rota.Secret:
		for i := range x {
			x[i].Sealed = nil
		}
	case rota.Token:
		x.Hash = ""
		return x
	case []rota.Token:
		for i := range x {
			x[i].Hash = ""
		}
	case rota.Status:
		x.Store.Secret = nil
		return x
	}
	return v
}

// streams are bytes of blobs and artifacts, with tests of their own: TestService, groups blob and artifacts.
var streams = []string{"PutBlob", "ReadBlob", "KeepArtifact"}

// TestEverythingTravels calls every method of the Service with everything filled in: what it is asked arrives, and
// what it answers comes back.
func TestEverythingTravels(t *testing.T) {
	svc := &spy{gives: map[reflect.Type]any{}}
	_, socket := overSocket(t, svc, Options{})
	_, tcp := overTCP(t, svc, Options{Authenticate: byRole}, "admin")
	service := reflect.TypeFor[rota.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i)
		if slices.Contains(streams, m.Name) {
			continue
		}
		for over, c := range map[string]*Client{"socket": socket, "tcp": tcp} {
			t.Run(m.Name+" over "+over, func(t *testing.T) { travel(t, svc, c, m) })
		}
	}
}

func travel(t *testing.T, svc *spy, c *Client, m reflect.Method) {
	n := 0
	args := []reflect.Value{reflect.ValueOf(t.Context())}
	var sent []any
	for i := 1; i < m.Type.NumIn(); i++ {
		arg := reflect.New(m.Type.In(i)).Elem()
		fill(arg, &n)
		if arg.Type() == reflect.TypeFor[time.Duration]() {
			arg.SetInt(int64(1234 * time.Millisecond))
		}
		args, sent = append(args, arg), append(sent, stay(arg.Interface()))
	}
	var given []any
	for i := range m.Type.NumOut() - 1 {
		out := reflect.New(m.Type.Out(i)).Elem()
		fill(out, &n)
		svc.gives[out.Type()] = out.Interface()
		given = append(given, out.Interface())
	}
	svc.calls = 0
	outs := reflect.ValueOf(c).MethodByName(m.Name).Call(args)
	if err := outs[len(outs)-1].Interface(); err != nil {
		t.Fatal(err)
	}
	if svc.calls != 1 {
		t.Fatalf("the service was called %d times", svc.calls)
	}
	if len(sent)+len(svc.asked) > 0 && !reflect.DeepEqual(svc.asked, sent) {
		t.Errorf("asked\n%+v, arrived\n%+v", sent, svc.asked)
	}
	for i, g := range given {
		if got := outs[i].Interface(); !reflect.DeepEqual(got, back(g)) {
			t.Errorf("given\n%+v, came back\n%+v", g, got)
		}
	}
}

// TestNothingTravels is the other end: with everything at its zero value, nothing is made up on the way.
func TestNothingTravels(t *testing.T) {
	svc := &spy{gives: map[reflect.Type]any{ // every task has a state
		reflect.TypeFor[rota.Task](): rota.Task{State: rota.Ready},
		reflect.TypeFor[rota.Why]():  rota.Why{State: rota.Ready},
	}}
	_, c := overSocket(t, svc, Options{})
	service := reflect.TypeFor[rota.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i)
		if slices.Contains(streams, m.Name) {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			args := []reflect.Value{reflect.ValueOf(t.Context())}
			var sent []any
			for i := 1; i < m.Type.NumIn(); i++ {
				arg := reflect.New(m.Type.In(i)).Elem()
				named(arg)
				args, sent = append(args, arg), append(sent, arg.Interface())
			}
			outs := reflect.ValueOf(c).MethodByName(m.Name).Call(args)
			if err := outs[len(outs)-1].Interface(); err != nil {
				t.Fatal(err)
			}
			if len(sent)+len(svc.asked) > 0 && fmt.Sprintf("%+v", svc.asked) != fmt.Sprintf("%+v", sent) {
				t.Errorf("asked\n%+v, arrived\n%+v", sent, svc.asked)
			}
		})
	}
}

// named gives a name to what must have one to be asked for.
func named(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *rota.JobID:
		*p = 1
	case *rota.TaskID:
		*p = rota.PlainTask(1)
	case *rota.Try:
		*p = rota.Try{Task: rota.PlainTask(1), Attempt: 1}
	case *rota.SessionID:
		*p = "s"
	case *rota.BlobID:
		*p = rota.BlobID(strings.Repeat("0", 64))
	case *string:
		*p = "s"
	case *rota.ArtifactQuery:
		*p = rota.ArtifactQuery{Job: 1}
	case *rota.OutputQuery:
		*p = rota.OutputQuery{Task: rota.PlainTask(1), Stream: rota.Stdout}
	}
}
