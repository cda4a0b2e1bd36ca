package folder

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/objects/objectstest"
)

func open(t *testing.T) *Objects {
	o, err := Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestObjects(t *testing.T) {
	objectstest.Run(t, func(t *testing.T) rota.Objects { return open(t) })
}

// TestNamesStayInTheFolder: whatever a name says, no file outside the folder is read, made or removed.
func TestNamesStayInTheFolder(t *testing.T) {
	o := open(t)
	outside := filepath.Join(filepath.Dir(o.path), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", "../../secret", "..", "/etc/passwd", outside, "aa/../../../secret"} {
		if got, err := o.Get(t.Context(), name, 0, 100); err == nil && len(got) > 0 {
			t.Errorf("%q: read %q", name, got)
		}
		_ = o.Remove(t.Context(), name)
		_ = o.Put(t.Context(), name, 1, bytes.NewReader([]byte("x")))
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "secret" {
		t.Errorf("the file outside is %q, %v", got, err)
	}
	if !strings.HasPrefix(o.URL("abc"), "file:///") {
		t.Errorf("URL %q", o.URL("abc"))
	}
}
