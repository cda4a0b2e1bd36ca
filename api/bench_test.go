package api

import (
	"context"
	"crypto/rand"
	"reflect"
	"syscall"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/server"
)

// BenchmarkSubmit is what the wire costs a submit, both sides together: 64 callers over the unix socket, and a
// Service that does nothing.
func BenchmarkSubmit(b *testing.B) {
	svc := &spy{gives: map[reflect.Type]any{reflect.TypeFor[rota.Submitted](): rota.Submitted{Job: 4711, Tasks: 1}}}
	benchSubmit(b, svc)
}

// BenchmarkSubmitDurable is the same with the real server on a real store.
func BenchmarkSubmitDurable(b *testing.B) { benchSubmit(b, realServer(b, server.Options{})) }

func benchSubmit(b *testing.B, svc rota.Service) {
	_, c := overSocket(b, svc, Options{})
	sub := rota.Submission{Spec: rota.Spec{
		Name: "bench", Argv: []string{"/bin/true", "--of", "no", "consequence"}, Dir: "/home/somebody/project",
		Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/home/somebody"}}}
	b.ReportAllocs()
	defer reportCPU(b)()
	b.SetParallelism(32) // of 2 CPUs: 64 callers
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			sub := sub
			sub.Key = rand.Text()
			if _, err := c.Submit(context.Background(), sub); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkHandler is the server's part of that without net/http's connection.
func BenchmarkHandler(b *testing.B) {
	s := New(&spy{}, Options{Authenticate: byRole})
	const text = `{"spec":{"name":"bench","argv":["/bin/true","--of","no","consequence"],"dir":"/home/somebody/project"},"key":"0123456789abcdef"}`
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if w := ask(s, "POST", "/api/v1/jobs", "admin", text); w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// reportCPU adds the processor time of an operation, which a busy machine does not stretch as it does the clock's.
func reportCPU(b *testing.B) func() {
	before := cpuTime(b)
	return func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1e3, "cpu-µs/op") }
}

func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return syscall.TimevalToNsec(u.Utime) + syscall.TimevalToNsec(u.Stime)
}
