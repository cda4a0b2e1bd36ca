package jar

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// settingsCase is a case of testdata/settings.json, which the Python library's test runs too.
type settingsCase struct {
	Name  string            `json:"name"`
	Files map[string]string `json:"files"`
	Env   map[string]string `json:"env"`
	Given map[string]string `json:"given"`
	Want  struct {
		Home       string   `json:"home"`
		WorkerHome string   `json:"worker_home"`
		Pause      float64  `json:"pause"`
		Max        int      `json:"max"`
		Categories []string `json:"categories"`
		Notes      int      `json:"notes"`
		Error      string   `json:"error"`
	} `json:"want"`
}

// TestJ10Settings: who calls goes before the environment, that before the personal file, that before the jar's, and that
// before the defaults.
func TestJ10Settings(t *testing.T) {
	text, err := os.ReadFile("testdata/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []settingsCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 15 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			set, err := Sources{Given: c.Given, Getenv: func(name string) string { return c.Env[name] }, UserHome: "/home/u", Install: "/jar", Hostname: "rain",
				ReadFile: func(path string) ([]byte, error) {
					if text, ok := c.Files[path]; ok {
						return []byte(text), nil
					}
					return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
				}}.Load()
			if c.Want.Error != "" {
				if err == nil || !strings.Contains(err.Error(), c.Want.Error) || !errors.Is(err, rota.ErrInvalid) {
					t.Fatalf("error %v, want %s", err, c.Want.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if set.Home != c.Want.Home || set.WorkerHome != c.Want.WorkerHome || set.Pause.Seconds() != c.Want.Pause || set.MaxWorkers != c.Want.Max ||
				strings.Join(set.Categories, " ") != strings.Join(c.Want.Categories, " ") || len(set.Notes) != c.Want.Notes {
				t.Errorf("%+v, want %+v", set, c.Want)
			}
		})
	}
}

func TestJ10SettingsOfOurOwn(t *testing.T) {
	env := map[string]string{"JJ_HOME": "/j", "JJ_NODE": "host7", "JJ_SCRATCH_HOME": "/tmp/x", "JJ_TIMEOUT": "90m", "JJ_GRACE": "2", "JJ_MEM": "2G",
		"JJ_CPUS": "1.5", "JJ_PIDS": "100", "JJ_NICE": "7"}
	none := func(string) ([]byte, error) { return nil, os.ErrNotExist }
	set, err := Sources{Getenv: func(name string) string { return env[name] }, ReadFile: none, Hostname: "rain"}.Load()
	if err != nil || set.Node != "host7" || set.Scratch != "/tmp/x" || set.Timeout.D() != 90*time.Minute || set.Grace.D() != 2*time.Second ||
		set.Limits != (rota.Limits{Memory: 2 << 30, CPUs: 1.5, PIDs: 100, Nice: 7}) {
		t.Errorf("%+v, %v", set, err)
	}
	// A process that is started with the settings as variables has the same.
	given := map[string]string{}
	for _, v := range set.Environ() {
		key, value, _ := strings.Cut(v, "=")
		given[key] = value
	}
	again, err := Sources{Getenv: func(name string) string { return given[name] }, ReadFile: none, Hostname: "rain"}.Load()
	if err != nil || again.Node != set.Node || again.Timeout != set.Timeout || again.Limits != set.Limits || again.Pause != set.Pause {
		t.Errorf("%+v, %v", again, err)
	}
	for key, value := range map[string]string{"JJ_NODE": "a b", "JJ_MEM": "1", "JJ_CPUS": "x", "JJ_PIDS": "many", "JJ_NICE": "99", "JJ_TIMEOUT": "soon",
		"JJ_SCRATCH_HOME": "here"} {
		_, err := Sources{Getenv: func(name string) string { return map[string]string{"JJ_HOME": "/j", key: value}[name] }, ReadFile: none}.Load()
		if !errors.Is(err, rota.ErrInvalid) || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
}

func TestJ10Jitter(t *testing.T) {
	for _, c := range []struct {
		pause, least, most time.Duration
	}{{60 * time.Second, 54 * time.Second, 66 * time.Second}, {time.Hour, time.Hour - 10*time.Second, time.Hour + 10*time.Second}, {time.Second, 900 * time.Millisecond, 1100 * time.Millisecond}} {
		if least, most := Jittered(c.pause, 0), Jittered(c.pause, 1); least != c.least || most != c.most {
			t.Errorf("%v: from %v to %v", c.pause, least, most)
		}
	}
}

// TestJ10TheFileOfAJarIsUnderstood: what init writes says nothing as it is, and every line of it may be switched on.
func TestJ10TheFileOfAJarIsUnderstood(t *testing.T) {
	text, err := installed.ReadFile("install/config.ini")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := parseINI(string(text)); err != nil || len(found) != 0 {
		t.Errorf("as it is: %v, %v", found, err)
	}
	on := strings.ReplaceAll(string(text), "\n#JJ_", "\nJJ_")
	set, err := Sources{Getenv: func(string) string { return "" }, Install: "/jar",
		ReadFile: func(string) ([]byte, error) { return []byte(on), nil }}.Load()
	if err != nil || len(set.Notes) != 0 {
		t.Errorf("switched on: %v, %v", set.Notes, err)
	}
	for _, name := range names {
		if !strings.Contains(on, "\n"+name+":") {
			t.Errorf("%s does not stand in it", name)
		}
	}
}

// FuzzINI: no text makes reading settings panic, or find one in a line that is not there.
func FuzzINI(f *testing.F) {
	f.Add("# x\n[Job Jar]\nJJ_HOME: /a\njj_x=1\n")
	f.Add("\ufeff[Job Jar]\r\nA:B=C\r\n;\n")
	f.Add("[Job Jar]\n[other]\n:")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseINI(text)
		if err != nil {
			return
		}
		lines := strings.Count(text, "\n") + 1
		for _, s := range found {
			if s.line < 2 || s.line > lines || s.name == "" || strings.ContainsAny(s.name, ":=\n") || strings.TrimSpace(s.value) != s.value {
				t.Errorf("%+v of %q", s, text)
			}
		}
	})
}

func TestHomeIsFoundByTheProgramsName(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "jar")
	if err := At(home).Make(); err != nil {
		t.Fatal(err)
	}
	bin, elsewhere := filepath.Join(home, "bin"), filepath.Join(dir, "elsewhere")
	for _, d := range []string{bin, elsewhere} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{filepath.Join(bin, "submit_job"): "rota", filepath.Join(elsewhere, "submit"): filepath.Join(bin, "submit_job"),
		filepath.Join(elsewhere, "relative"): "../jar/bin/submit_job", filepath.Join(elsewhere, "loop"): "loop"} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	for program, want := range map[string]string{filepath.Join(bin, "submit_job"): home, filepath.Join(bin, "rota"): home, filepath.Join(elsewhere, "submit"): home,
		filepath.Join(elsewhere, "relative"): home, filepath.Join(elsewhere, "loop"): "", filepath.Join(elsewhere, "rota"): "", "/usr/bin/true": ""} {
		if got := HomeOf(program); got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
}
