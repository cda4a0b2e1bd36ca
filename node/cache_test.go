package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func blobOf(text string) rota.BlobID {
	sum := sha256.Sum256([]byte(text))
	return rota.BlobID(hex.EncodeToString(sum[:]))
}

// fetched is a source of blobs that counts how often it is asked.
type source struct {
	text  string
	asked int
}

func (s *source) fetch(_ context.Context, w io.Writer) error {
	s.asked++
	_, err := io.WriteString(w, s.text)
	return err
}

// old makes a cached file look as one that has been there for a while, as its stamp needs.
func settle(t *testing.T, c *cache, id rota.BlobID, s *source) {
	t.Helper()
	for over := time.Now().Add(time.Minute); !c.intact(id); {
		if err := c.have(t.Context(), id, s.fetch); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(over) {
			t.Fatal("a file that nobody touches never counts as intact")
		}
	}
}

// TestC3BlobsAreFetchedOnceAndNeverTrustedByName: what was fetched is run again without being fetched again, and a file
// that somebody has changed, or put in its place, is not.
func TestC3BlobsAreFetchedOnceAndNeverTrustedByName(t *testing.T) {
	c := newCache(t.TempDir(), 1<<20)
	s := &source{text: "#!/bin/sh\necho right\n"}
	id := blobOf(s.text)
	settle(t, c, id, s)
	if err := c.have(t.Context(), id, s.fetch); err != nil || s.asked != 1 {
		t.Fatalf("fetched %d times, %v", s.asked, err)
	}
	for what, change := range map[string]func() error{
		"written to": func() error {
			if err := os.Chmod(c.path(id), 0o700); err != nil {
				return err
			}
			before, err := os.Stat(c.path(id))
			if err != nil {
				return err
			}
			if err := os.WriteFile(c.path(id), []byte("#!/bin/sh\necho wrong\n"), 0o700); err != nil { // as long as the right one
				return err
			}
			return os.Chtimes(c.path(id), before.ModTime(), before.ModTime())
		},
		"replaced": func() error {
			other := c.path(id) + ".other"
			if err := os.WriteFile(other, []byte("#!/bin/sh\necho wrong\n"), 0o500); err != nil {
				return err
			}
			return os.Rename(other, c.path(id))
		},
		"removed": func() error { return os.Remove(c.path(id)) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if c.intact(id) {
			t.Errorf("%s: taken for intact", what)
		}
		before := s.asked
		if err := c.have(t.Context(), id, s.fetch); err != nil || s.asked != before+1 {
			t.Errorf("%s: fetched %d times, %v", what, s.asked-before, err)
		}
		if got, err := os.ReadFile(c.path(id)); err != nil || string(got) != s.text {
			t.Errorf("%s: it is %q, %v", what, got, err)
		}
		settle(t, c, id, s)
	}
	// A node that starts again knows nothing, and reads what is there.
	again, before := newCache(c.dir, 1<<20), s.asked
	if err := again.have(t.Context(), id, s.fetch); err != nil || s.asked != before {
		t.Errorf("after a restart: fetched %d times, %v", s.asked-before, err)
	}
}

func TestABlobThatComesWrongIsNotKept(t *testing.T) {
	c := newCache(t.TempDir(), 1<<20)
	id := blobOf("right")
	if err := c.have(t.Context(), id, (&source{text: "wrong"}).fetch); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("error %v", err)
	}
	broken := errors.New("broken")
	if err := c.have(t.Context(), id, func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "right")
		return broken
	}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(c.dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestTheCacheOfBlobsHasALimit(t *testing.T) {
	c := newCache(t.TempDir(), 25)
	var ids []rota.BlobID
	for _, text := range []string{"0000000000", "1111111111", "2222222222", "3333333333"} {
		id := blobOf(text)
		if len(ids) == 0 {
			c.use(id) // it runs
		}
		if err := c.have(t.Context(), id, (&source{text: text}).fetch); err != nil {
			t.Fatal(err)
		}
		if len(ids) > 0 {
			c.use(id)
			c.release(id)
		}
		ids = append(ids, id)
	}
	there := ""
	for _, id := range ids {
		if _, err := os.Stat(c.path(id)); err == nil {
			there += "x"
		} else {
			there += "-"
		}
	}
	if there != "x--x" {
		t.Errorf("of four there are %s; want the one that runs, and the last", there)
	}
}
