package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
)

// The two starting points of a job's environment.
const (
	envInherit = "inherit"
	envClean   = "clean"
)

// noStdin is --stdin for a job that reads nothing; ownStdin passes the command's own input on.
const (
	noStdin  = "none"
	ownStdin = "-"
)

func (f *specFlags) applyFiles(spec *rota.Spec, c caller) error {
	if f.changed("workdir") {
		spec.Dir = f.dir
		if !c.remote && !filepath.IsAbs(f.dir) {
			spec.Dir = filepath.Join(c.dir, f.dir)
		}
	}
	for _, file := range []struct {
		flag, path string
		to         *string
	}{{"out", f.out, &spec.Out}, {"err", f.err, &spec.Err}, {"stdin", f.stdin, &spec.Stdin}} {
		if !f.changed(file.flag) {
			continue
		}
		*file.to = file.path
		if file.flag == "stdin" && (file.path == noStdin || file.path == ownStdin || file.path == "/dev/null") {
			*file.to = ""
		}
		if *file.to != "" && spec.Dir != "" && !filepath.IsAbs(file.path) {
			*file.to = filepath.Join(spec.Dir, file.path)
		}
	}
	if f.changed("artifact") {
		spec.Artifacts = f.artifacts
	}
	for what, text := range map[string]string{"workdir": spec.Dir, "out": spec.Out, "err": spec.Err, "stdin": spec.Stdin} {
		if !utf8.ValidString(text) {
			return rota.Invalid("--%s %q: is not UTF-8 text", what, text)
		}
	}
	return nil
}

// applyEnv sets the environment anew when --env says how, and changes single variables by -e.
func (f *specFlags) applyEnv(spec *rota.Spec, c caller) error {
	if f.changed("env") {
		if err := oneOf("--env", f.env, envInherit, envClean); err != nil {
			return err
		}
		spec.Env = nil
		if f.env == envInherit {
			spec.Env = inherited(c.environ, spec.Dir)
		}
	}
	for _, text := range f.vars {
		key, _, assigned := strings.Cut(text, "=")
		if !assigned {
			value, ok := lookUp(c.environ, key)
			if !ok {
				return rota.Invalid("-e %s: is not set here", key).WithFix("write -e %s=VALUE", key)
			}
			text = key + "=" + value
		}
		if !utf8.ValidString(text) {
			return rota.Invalid("-e %s: is not UTF-8 text", key)
		}
		spec.Env = slices.DeleteFunc(slices.Clone(spec.Env), func(e string) bool { return strings.HasPrefix(e, key+"=") })
		spec.Env = append(spec.Env, text)
	}
	return nil
}

// inherited is the caller's environment as a job takes it over: without Rota's own variables, and without what is
// not text, which cannot be sent.
func inherited(environ []string, dir string) []string {
	env := make([]string, 0, len(environ))
	for _, e := range environ {
		key, _, ok := strings.Cut(e, "=")
		switch {
		case !ok || key == "" || key == "_" || strings.HasPrefix(key, "ROTA_") || !utf8.ValidString(e):
		case key == "PWD" && dir != "":
			env = append(env, "PWD="+dir)
		default:
			env = append(env, e)
		}
	}
	return env
}

func lookUp(environ []string, key string) (string, bool) {
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}
