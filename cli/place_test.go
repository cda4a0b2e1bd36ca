package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestP25PlacesOfStores(t *testing.T) {
	w := newWorld(t)
	dir := w.dir
	w.write("url", "postgres://me:secret@db/rota\n")
	w.write("empty", "\n")
	for _, tt := range []struct {
		flags placeFlags
		want  string // what the place is, or what its refusal has
		bad   bool
	}{
		{placeFlags{}, "", false},
		{placeFlags{place: "a/b.db"}, "a/b.db", false},
		{placeFlags{place: "sqlite:a/b.db"}, "a/b.db", false},
		{placeFlags{place: dir}, filepath.Join(dir, "rota.db"), false},
		{placeFlags{place: "sqlite:" + dir}, filepath.Join(dir, "rota.db"), false},
		{placeFlags{place: "postgres://me@db/rota"}, "postgres://me@db/rota", false},
		{placeFlags{file: "url"}, "postgres://me:secret@db/rota", false},
		{placeFlags{place: "sqlite:"}, "which file", true},
		{placeFlags{place: "mysql://db/rota"}, "mysql:// is no store", true},
		{placeFlags{place: "postgres://me:secret@db/rota"}, "password", true},
		{placeFlags{place: "postgresql://db/rota?password=secret"}, "password", true},
		{placeFlags{place: "x", file: "url"}, "one of them", true},
		{placeFlags{file: "empty"}, "is empty", true},
		{placeFlags{file: "none"}, "no such file", true},
	} {
		tt.flags.name = "to"
		got, err := tt.flags.given()
		if tt.bad {
			if rota.KindOf(err).Err != rota.ErrInvalid || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error()+rota.FixOf(err), "secret") {
				t.Errorf("%+v: %v", tt.flags, err)
			}
		} else if err != nil || got != tt.want {
			t.Errorf("%+v: %q, %v", tt.flags, got, err)
		}
	}
}

func TestCopyText(t *testing.T) {
	for _, tt := range []struct {
		step rota.CopyStep
		rate float64
		want string
	}{
		{rota.CopyStep{Table: "job"}, 0, "copying job"},
		{rota.CopyStep{Table: "task", Rows: 500, Of: 2000}, 0, "copying task, 25%"},
		{rota.CopyStep{Table: "task", Checking: true, Rows: 1500, Of: 2000}, 100, "checking task, 75%, 100 rows/s, ETA 5s"},
	} {
		if got := copyText(tt.step, tt.rate); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
