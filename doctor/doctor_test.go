package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata"
)

func TestExamineMakesEveryCheck(t *testing.T) {
	dir := t.TempDir()
	found := Examine(t.Context(), Place{Data: dir, Socket: filepath.Join(dir, "rota.sock"), Listen: "127.0.0.1:0", Slots: 4})
	if len(found) != len(checks) {
		t.Fatalf("%d findings of %d checks", len(found), len(checks))
	}
	for i, f := range found {
		t.Logf("%s %s: %s; %s", f.Level, f.Name, f.Text, f.Fix)
		if f.Name != checks[i].name || f.Text == "" {
			t.Errorf("finding %d: %+v: want what %s found", i, f, checks[i].name)
		}
		if (f.Level == OK) != (f.Fix == "") {
			t.Errorf("%+v: what is not ok, and nothing else, needs a remedy", f)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v: files are left in the data folder", left, err)
	}
}

func TestExamineStopsWaitingForACheckThatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hung := check{"hung", func(context.Context, Place) Finding { <-release; return ok("at last") }}
	fine := check{"fine", func(context.Context, Place) Finding { return ok("fine") }}
	found := examine(t.Context(), Place{}, []check{hung, fine}, 1)
	if len(found) != 2 || found[0].Level != Fail || found[1].Name != "fine" {
		t.Errorf("%+v: want a failed check and the next one", found)
	}
}

func TestExamineEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	first := check{"first", func(context.Context, Place) Finding { return ok("fine") }}
	second := check{"second", func(context.Context, Place) Finding { cancel(); return ok("cut off") }}
	found := examine(ctx, Place{}, []check{first, second, first}, patience)
	if len(found) != 1 || found[0].Name != "first" {
		t.Errorf("%+v: want the first alone", found)
	}
}

// expect checks a finding's level, that its sentence has the given words, and that there is a remedy if need be.
func expect(t *testing.T, f Finding, level Level, words ...string) {
	t.Helper()
	if f.Level != level || (f.Fix == "") != (level == OK) {
		t.Errorf("%+v: want %s", f, level)
	}
	for _, w := range words {
		if !strings.Contains(f.Text, w) {
			t.Errorf("%q does not say %q", f.Text, w)
		}
	}
}
