package jar

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestJ4TheFilesThatTell: stop goes before pause, whoever says it.
func TestJ4TheFilesThatTell(t *testing.T) {
	w := newWorld(t)
	worker := w.worker("rain")
	own, all := worker.Dir(), w.WorkerHome
	for _, c := range []struct {
		files []string
		want  Told
	}{
		{nil, GoOn}, {[]string{own + "/PAUSE"}, ToPause}, {[]string{all + "/PAUSE_ALL"}, ToPause}, {[]string{own + "/STOP"}, ToStop},
		{[]string{all + "/STOP_ALL"}, ToStop}, {[]string{own + "/PAUSE", all + "/STOP_ALL"}, ToStop}, {[]string{all + "/PAUSE_ALL", own + "/STOP"}, ToStop},
	} {
		for _, f := range c.files {
			w.must(os.WriteFile(f, nil, 0o644))
		}
		if told, err := worker.Told(); told != c.want || err != nil {
			t.Errorf("%q: %v, %v", c.files, told, err)
		}
		for _, f := range c.files {
			w.must(os.Remove(f))
		}
	}
	w.must(os.RemoveAll(own))
	if told, err := worker.Told(); told != ToStop || err == nil {
		t.Errorf("without its directory it is told %v, %v", told, err)
	}
}

func TestJ4Telling(t *testing.T) {
	w := newWorld(t)
	life := func(node string, pid int) Life { l := Here(node); l.PID = pid; return l }
	for _, l := range []Life{life("rain", 7), life("rain", 8), life("flower", 7), life("meadow.hill", 9), life("rain", 7)} {
		w.must(w.register(l).Say(Waiting))
	}
	ended := w.register(life("rain", 6))
	w.must(ended.Say(Stopped))
	told := func(names []string, err error) string { w.must(err); return strings.Join(names, " ") }
	if got := told(w.Jar.Stop("rain", "meadow.hill.9")); got != "rain.7 rain.7-1 rain.8 meadow.hill.9" {
		t.Errorf("stopped %s", got)
	}
	if got := told(w.Pause("all")); got != "flower.7 meadow.hill.9 rain.7 rain.7-1 rain.8" {
		t.Errorf("paused %s", got)
	}
	if isThere(filepath.Join(w.WorkerHome, pauseAllFile)) || isThere(filepath.Join(ended.Dir(), pauseFile)) {
		t.Error("workers that come later, or have ended, were told")
	}
	if got := told(w.Unpause("flower", "rain.7", "rain.7")); got != "flower.7 rain.7 rain.7-1" {
		t.Errorf("unpaused %s", got)
	}
	told(w.Unpause("all"))
	for _, name := range []string{"rain.7", "flower.7", "meadow.hill.9"} {
		if isThere(filepath.Join(w.WorkerHome, name, pauseFile)) {
			t.Errorf("%s is still paused", name)
		}
	}
	names, err := w.Jar.Stop("nobody", "flower.7")
	if !errors.Is(err, rota.ErrNotFound) || !slices.Equal(names, []string{"flower.7"}) {
		t.Errorf("stopped %q, %v", names, err)
	}
	if names, err := At(t.TempDir()).Stop("all"); err != nil || names != nil {
		t.Errorf("with no worker ever: %q, %v", names, err)
	}
}

func TestJ8Status(t *testing.T) {
	w := newWorld(t)
	for _, job := range []string{"a.5", "b", "c.5", "d.-1"} {
		w.put("LINUX", job)
	}
	w.put("", "plain")
	w.put("rain", "r")
	w.must(os.WriteFile(filepath.Join(w.folder("LINUX"), "text"), nil, 0o644))
	w.must(os.WriteFile(filepath.Join(w.Limbo(), "half"), nil, 0o644))
	worker, other, gone := w.worker("rain", "LINUX"), w.worker("flower"), w.dead("rain")
	for _, each := range []*Worker{worker, gone} {
		w.claim(each)
	}
	w.must(worker.Say(Working))
	w.must(other.Say(Waiting))
	w.must(os.WriteFile(filepath.Join(worker.Dir(), stopFile), nil, 0o644))
	s, err := w.Status(Here("rain"))
	w.must(err)
	if s.Unclaimed != 4 || s.Claimed != 2 || s.Completed != 0 || s.Limbo != 1 || s.StopAll || s.PauseAll {
		t.Errorf("%+v", s)
	}
	if len(s.Categories) != 1 || s.Categories[0].Others != 1 || fmt.Sprint(s.Categories[0].Priorities) != "[{5 2} {0 1} {-1 1}]" {
		t.Errorf("categories %+v", s.Categories)
	}
	var workers []string
	for _, each := range s.Workers {
		workers = append(workers, fmt.Sprint(each.Name == worker.Name(), " ", each.State, " ", each.Told, " ", each.Jobs))
	}
	if got := strings.Join(workers, "; "); got != "false waiting  []; true working stop [r]; false dead  [plain]" {
		t.Errorf("workers %s", got)
	}
	if len(s.Stranded) != 1 || s.Stranded[0] != (Stranded{gone.Name(), "plain"}) {
		t.Errorf("stranded %v", s.Stranded)
	}
	w.must(os.WriteFile(filepath.Join(w.WorkerHome, stopAllFile), nil, 0o644))
	if s, err := w.Status(Here("flower")); err != nil || !s.StopAll || len(s.Stranded) != 0 {
		t.Errorf("from another node: %+v, %v", s, err)
	}
}
