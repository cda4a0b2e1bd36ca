package keeper

import (
	"encoding/gob"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// fill sets every field to what no other field has, and nothing to zero.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, n)
		fill(t, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprintf("%d \x00\xff", *n))
	case reflect.Uint32:
		v.SetUint(uint64(*n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("fill %s: say how", v.Type())
	}
}

// pipe is a connection and its far end, written and read as they stand.
func pipe(t *testing.T) (near, far *wire) {
	a, b := net.Pipe()
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return newWire(a), newWire(b)
}

// over is what comes out at the other end.
func over[T any](t *testing.T, sent T) (got T) {
	t.Helper()
	near, far := pipe(t)
	go func() {
		if err := near.write(sent); err != nil {
			t.Error(err)
		}
	}()
	if err := far.read(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEveryFieldGoesOverTheWire(t *testing.T) {
	n := 0
	ps := make([]executor.Process, 3)
	for i := range ps {
		fill(t, reflect.ValueOf(&ps[i]).Elem(), &n)
	}
	ps[1].Env = append(ps[0].Env[:2:2], "own") // as the tasks of an array
	ps[1].Body = ps[0].Body
	ps[2].Env = ps[1].Env
	got, err := unpackProcesses(over(t, request{Processes: packProcesses(ps)}).Processes)
	if err != nil || !reflect.DeepEqual(got, ps) {
		t.Errorf("sent %+v\ngot  %+v, %v", ps, got, err)
	}
	es := make([]executor.Exit, 3)
	fill(t, reflect.ValueOf(&es[0]).Elem(), &n)
	es[1].Code = new(int)
	if got := unpackExits(over(t, answer{Exits: packExits(es)}).Exits); !reflect.DeepEqual(got, es) {
		t.Errorf("sent %+v\ngot  %+v", es, got)
	}
	var q request
	fill(t, reflect.ValueOf(&q).Elem(), &n)
	if got := over(t, q); !reflect.DeepEqual(got, q) {
		t.Errorf("sent %+v\ngot  %+v", q, got)
	}
	var a answer
	fill(t, reflect.ValueOf(&a).Elem(), &n)
	if got := over(t, a); !reflect.DeepEqual(got, a) {
		t.Errorf("sent %+v\ngot  %+v", a, got)
	}
}

// What the tasks of an array have in common goes once.
func TestTheSameEnvironmentIsSentOnce(t *testing.T) {
	env := []string{"A=" + strings.Repeat("x", 10_000)}
	ps := make([]executor.Process, 100)
	for i := range ps {
		ps[i] = executor.Process{Try: try(i), Env: append(env[:1:1], fmt.Sprint("ROTA_TASK=", i)), Command: executor.Command{Body: env[0]}}
	}
	var count counter
	if err := gob.NewEncoder(&count).Encode(packProcesses(ps)); err != nil {
		t.Fatal(err)
	}
	if count > 40_000 {
		t.Errorf("%d bytes", count)
	}
	for _, p := range []packedProcess{{SameEnv: 1}, {SameEnv: -1}} {
		if _, err := unpackProcesses([]packedProcess{p}); err == nil {
			t.Errorf("%+v makes sense", p)
		}
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestErrorsKeepTheirKind(t *testing.T) {
	for _, k := range rota.Kinds {
		err := packError(rota.Errorf(k.Err, "text").WithFix("fix")).unpack()
		if rota.KindOf(err) != k || err.Error() != "text" || rota.FixOf(err) != "fix" {
			t.Errorf("%v became %v", k.Name, err)
		}
	}
	if err := packError(nil).unpack(); err != nil {
		t.Error(err)
	}
}

func TestBatchesAreInOrderAndWhole(t *testing.T) {
	for _, sizes := range [][]int{{}, {1}, {maxBatch, 1}, {1, maxBatch}, {2 * maxBatch, 3 * maxBatch}, {maxBatch / 2, maxBatch / 2, 1}} {
		var all []int
		for part := range batches(sizes, func(n int) int { return n }) {
			sum := 0
			for _, n := range part {
				sum += n
			}
			if len(part) == 0 || len(part) > 1 && sum > maxBatch {
				t.Errorf("%v: a batch of %v", sizes, part)
			}
			all = append(all, part...)
		}
		if len(all) != len(sizes) || len(all) > 0 && !reflect.DeepEqual(all, sizes) {
			t.Errorf("%v became %v", sizes, all)
		}
	}
}

func TestALargeStartGoesThrough(t *testing.T) {
	r := serve(t, t.TempDir(), 2).rig(t)
	var ps []executor.Process
	for n := 1; n <= 5; n++ {
		p := command(n, "/bin/sh")
		p.Body = fmt.Sprint("exit ", n, "\n#", strings.Repeat(fmt.Sprint(n), rota.MaxText))
		ps = append(ps, p)
	}
	r.start(ps...)
	for n := 1; n <= 5; n++ {
		if e := r.await(try(n)); e.Code == nil || *e.Code != n {
			t.Errorf("%+v", e)
		}
	}
	ps[0].Body = strings.Repeat("x", maxItem)
	if err := r.Start(ps[:1]); rota.KindOf(err).Err != rota.ErrTooLarge {
		t.Errorf("too large: %v", err)
	}
	if err := r.Start(nil); err != nil {
		t.Error(err)
	}
}

// A newer daemon says more than this keeper knows, and leaves out what it has replaced.
func TestP13ANewerDaemonIsUnderstood(t *testing.T) {
	s := serve(t, t.TempDir(), 1)
	c, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	type process struct {
		Process struct {
			Try     rota.Try
			Command struct{ Argv, Limits []string }
			Cgroup  map[string]float64
		}
		Priority int
	}
	type newer struct {
		ID        uint64
		Op        string
		Protocol  int
		Features  []struct{ Name string }
		Processes []process
		Trace     *string
	}
	w, trace := newWire(c), "trace"
	ask := func(q newer) (a answer) {
		t.Helper()
		q.Features, q.Trace = []struct{ Name string }{{"more"}}, &trace
		if err := w.write(q); err != nil {
			t.Fatal(err)
		}
		for ; a.ID != q.ID || len(a.Exits) > 0; a = (answer{}) {
			if err := w.read(&a); err != nil {
				t.Fatal(err)
			}
			if a.ID == q.ID {
				return a
			}
		}
		return a
	}
	if a := ask(newer{ID: 1, Op: "hello", Protocol: Protocol}); a.Hello == nil || a.Hello.Protocol != Protocol {
		t.Fatalf("%+v", a)
	}
	if a := ask(newer{ID: 2, Op: "freeze"}); rota.KindOf(a.Error.unpack()).Err != rota.ErrUnsupported {
		t.Errorf("an op that is not known: %+v", a)
	}
	if err := w.write(newer{Op: "freeze"}); err != nil { // and wants no answer
		t.Fatal(err)
	}
	var p process
	p.Process.Try, p.Process.Command.Argv, p.Process.Cgroup = try(1), []string{"/bin/true"}, map[string]float64{"cpu": 1}
	if a := ask(newer{ID: 3, Op: "start", Processes: []process{p}}); a.Error != nil {
		t.Fatalf("%+v", a.Error)
	}
	if e := s.rig(t).await(try(1)); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
}

func TestAnotherProtocolIsRefusedAndTakesNothingOver(t *testing.T) {
	s := serve(t, t.TempDir(), 1)
	r := s.rig(t)
	c, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w, a := newWire(c), answer{}
	if err := w.write(request{ID: 1, Op: opHello, Protocol: Protocol + 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.read(&a); err != nil || rota.KindOf(a.Error.unpack()).Err != rota.ErrUnsupported {
		t.Errorf("%+v, %v", a.Error, err)
	}
	if e := r.run(command(1, "/bin/true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
}

// Whatever is sent, the keeper closes that connection and goes on: before a greeting also with the daemon it has.
func TestGarbageHarmsNothing(t *testing.T) {
	s := serve(t, t.TempDir(), 2)
	first := s.rig(t)
	first.start(sh(1, "echo up; exec sleep 1000"))
	first.says(try(1), rota.Stdout, "up")
	send := func(greet bool, bytes string) {
		t.Helper()
		c, err := net.Dial("unix", s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		w := newWire(c)
		if greet {
			if err := w.write(request{ID: 1, Op: opHello, Protocol: Protocol}); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			_, _ = c.Write([]byte(bytes)) // fails when the keeper closes
			_ = c.(*net.UnixConn).CloseWrite()
		}()
		for a := (answer{}); w.read(&a) == nil; a = (answer{}) {
		}
	}
	garbage := []string{
		"GET / HTTP/1.1\r\n\r\n",
		"\x00\x00\x00\x00",
		"\x03\xff\xff\xff",
		"\xfc\x7f\xff\xff\xff" + strings.Repeat("x", maxMessage+1), // says how long it is, and is
		strings.Repeat("\x07\xff\x82\x01\x2c\x00\x00\x00", 1000),
	}
	for _, g := range garbage {
		send(false, g)
	}
	if e := first.run(command(2, "/bin/true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
	for _, g := range garbage {
		send(true, g)
	}
	r := s.rig(t)
	r.says(try(1), rota.Stdout, "up")
	if e := r.run(command(3, "/bin/true")); e.Outcome != rota.OutcomeSucceeded {
		t.Errorf("%+v", e)
	}
}
