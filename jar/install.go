package jar

import (
	"embed"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
)

// Programs are the names by which the commands of a jar are called, and the commands of "rota jar" that they are.
var Programs = map[string]string{
	"start_worker":    "worker",
	"stop_worker":     "stop",
	"pause_worker":    "pause",
	"unpause_worker":  "unpause",
	"check_workers":   "check",
	"submit_job":      "submit",
	"unique_job_name": "name",
	"system_status":   "status",
}

//go:embed install
var installed embed.FS

// Installation is what a jar has besides its own folders, so that whoever sees the disk needs nothing else.
type Installation struct {
	Program string // the file of Rota's program, which is copied to bin
	Library fs.FS  // the Python library, which is copied to python
}

// Install makes a jar in a folder: its folders; in bin Rota's program and links to it by the names of Programs; examples
// of crontabs; a file of settings; the Python library. In a jar that is there already it brings program, links, crontabs
// and library up to date, and leaves the settings and all jobs alone.
func Install(home string, i Installation) error {
	if err := At(home).Make(); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return installPrograms(filepath.Join(home, "bin"), i.Program) },
		func() error { return installTexts(home) },
		func() error { return installTree(filepath.Join(home, "python"), i.Library) },
	} {
		if err := step(); err != nil {
			return rota.Errorf(rota.ErrUnavailable, "make the jar %s: %v", home, err)
		}
	}
	return nil
}

func installPrograms(bin, program string) error {
	if err := os.MkdirAll(bin, 0o777); err != nil {
		return err
	}
	own := filepath.Join(bin, "rota")
	if !isProgram(program, own) {
		if err := replace(own, 0o777, func(to *os.File) error {
			from, err := os.Open(program)
			if err != nil {
				return err
			}
			defer from.Close()
			_, err = io.Copy(to, from)
			return err
		}); err != nil {
			return err
		}
	}
	for name := range Programs {
		path := filepath.Join(bin, name)
		if to, err := os.Readlink(path); err == nil && to == "rota" {
			continue
		}
		if err := removeIfThere(path); err != nil {
			return err
		}
		if err := os.Symlink("rota", path); err != nil {
			return err
		}
	}
	return nil
}

// isProgram reports whether a program is the file in a jar already.
func isProgram(program, own string) bool {
	x, err := os.Stat(program)
	if err != nil {
		return false
	}
	y, err := os.Lstat(own)
	return err == nil && os.SameFile(x, y)
}

// installTexts writes the texts; settings only where there are none.
func installTexts(home string) error {
	for name, to := range map[string]string{"config.ini": "config.ini", "worker.cron": "crontabs/worker.cron", "recover.cron": "crontabs/recover.cron"} {
		path := filepath.Join(home, to)
		if name == "config.ini" && isThere(path) {
			continue
		}
		text, err := installed.ReadFile("install/" + name)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := replaceText(path, strings.ReplaceAll(string(text), "{jar}", forCron(home))); err != nil {
			return err
		}
	}
	return nil
}

// forCron is a path as a line for cron has it: as a shell takes it, and without percent signs, which end the command there.
func forCron(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@,:=") == "" {
		return path
	}
	return strings.ReplaceAll("'"+strings.ReplaceAll(path, "'", `'\''`)+"'", "%", `\%`)
}

func installTree(to string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, path), 0o777)
		}
		text, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		return replaceText(filepath.Join(to, path), string(text))
	})
}

func replaceText(path, text string) error {
	return replace(path, 0o666, func(to *os.File) error {
		_, err := to.WriteString(text)
		return err
	})
}

// HomeOf is the jar whose bin a program was called from, by whatever links: "" when it is in none.
func HomeOf(program string) string {
	for range 40 { // links
		bin := filepath.Dir(program)
		if home := filepath.Dir(bin); filepath.Base(bin) == "bin" && Is(home) {
			return home
		}
		to, err := os.Readlink(program)
		if err != nil {
			return ""
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(bin, to)
		}
		program = to
	}
	return ""
}
