// Package objectstest is the contract of rota.Objects in executable form. Whatever keeps bytes passes it: a folder, an
// object store, the store itself.
//
// It touches the Objects that it is given, and nothing else.
package objectstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/rotaqueue/rota"
)

// Run tests what open opens. Each test has its own.
func Run(t *testing.T, open func(t *testing.T) rota.Objects) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, o rota.Objects)
	}{
		{"what is put is there, whole and in pieces", putAndGet},
		{"a name means what was put last", replaced},
		{"of what ends early nothing is kept", endsEarly},
		{"of what fails nothing is kept", fails},
		{"what is removed is gone", removed},
		{"what is not there is not found", notThere},
		{"many put and read the same at once", atOnce},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// text is so many bytes that do not repeat.
func text(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func put(t *testing.T, o rota.Objects, name string, b []byte) {
	t.Helper()
	// A body that comes in halves is none the less.
	if err := o.Put(t.Context(), name, int64(len(b)), iotest.HalfReader(bytes.NewReader(b))); err != nil {
		t.Fatalf("put %s of %d bytes: %v", name, len(b), err)
	}
}

func want(t *testing.T, o rota.Objects, name string, offset int64, max int, b []byte) {
	t.Helper()
	got, err := o.Get(t.Context(), name, offset, max)
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%s from %d, %d at most: got %d bytes, error %v; want %d", name, offset, max, len(got), err, len(b))
	}
}

func gone(t *testing.T, o rota.Objects, name string) {
	t.Helper()
	if got, err := o.Get(t.Context(), name, 0, 10); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("%s: got %d bytes, error %v; want ErrNotFound", name, len(got), err)
	}
}

func putAndGet(t *testing.T, o rota.Objects) {
	for i, n := range []int{1, 2, 1000, 1 << 20, 3<<20 + 17} {
		name := "a" + string(rune('0'+i)) + "-b"
		b := text(uint64(i), n)
		put(t, o, name, b)
		want(t, o, name, 0, n+1, b)
		want(t, o, name, 0, n, b)
		want(t, o, name, int64(n-1), 100, b[n-1:])
		want(t, o, name, int64(n), 100, nil)
		want(t, o, name, int64(n)+1000, 100, nil)
		want(t, o, name, int64(n/3), n/3+1, b[n/3:n/3+n/3+1])
	}
}

func replaced(t *testing.T, o rota.Objects) {
	for i := range 3 {
		b := text(uint64(i), 600_000+i)
		put(t, o, "x", b)
		want(t, o, "x", 0, 1<<20, b)
	}
	put(t, o, "x", []byte("short"))
	want(t, o, "x", 0, 1<<20, []byte("short"))
}

func endsEarly(t *testing.T, o rota.Objects) {
	if err := o.Put(t.Context(), "x", 1<<20+5, bytes.NewReader(text(1, 1<<20))); err == nil {
		t.Error("a body that ends early was taken")
	}
	gone(t, o, "x")
	put(t, o, "x", []byte("whole"))
	if err := o.Put(t.Context(), "x", 100, bytes.NewReader(text(1, 50))); err == nil {
		t.Error("a body that ends early was taken")
	}
	want(t, o, "x", 0, 100, []byte("whole"))
}

var errBody = errors.New("the body broke")

func fails(t *testing.T, o rota.Objects) {
	body := io.MultiReader(bytes.NewReader(text(1, 1<<20)), iotest.ErrReader(errBody))
	if err := o.Put(t.Context(), "x", 1<<20+5, body); err == nil {
		t.Error("a body that broke was taken")
	}
	gone(t, o, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Put(ctx, "x", 3, bytes.NewReader([]byte("abc"))); err == nil {
		t.Error("put by who has gone away")
	}
	gone(t, o, "x")
}

func removed(t *testing.T, o rota.Objects) {
	put(t, o, "x", text(1, 700_000))
	put(t, o, "y", []byte("y"))
	for range 2 {
		if err := o.Remove(t.Context(), "x"); err != nil {
			t.Errorf("remove: %v", err)
		}
		gone(t, o, "x")
	}
	want(t, o, "y", 0, 10, []byte("y"))
	put(t, o, "x", []byte("again"))
	want(t, o, "x", 0, 10, []byte("again"))
}

func notThere(t *testing.T, o rota.Objects) {
	gone(t, o, "never")
	if err := o.Remove(t.Context(), "never"); err != nil {
		t.Errorf("remove what is not there: %v", err)
	}
}

func atOnce(t *testing.T, o rota.Objects) {
	b := text(7, 300_000)
	put(t, o, "x", b)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if err := o.Put(t.Context(), "x", int64(len(b)), bytes.NewReader(b)); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
		all.Go(func() {
			for range 10 {
				got, err := o.Get(t.Context(), "x", 1000, 1<<20)
				if errors.Is(err, rota.ErrUnavailable) {
					continue // it was replaced meanwhile; who reads asks again
				}
				if err != nil || !bytes.Equal(got, b[1000:]) {
					t.Errorf("read: %d bytes, %v", len(got), err)
				}
			}
		})
	}
	all.Wait()
	want(t, o, "x", 0, 1<<20, b)
}
