package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// request is a job as the command line describes it, and what is still to be uploaded for it.
type request struct {
	rota.Submission
	flags      *specFlags // with those of the script
	lines      string     // file of the lines, - for standard input; empty: none, or those of the job before
	everywhere bool       // a job for each node
	input      bool       // standard input goes along
	program    string     // file of the blob that it runs; empty: there is none, or it is there
}

// composing is where a job is described: by which command, and for whom.
type composing struct {
	flags  *specFlags
	args   []string
	dashed bool       // the arguments are what follows "--"
	base   *rota.Spec // of the job before, for again
	run    bool       // it is followed: standard input goes along, and failures are not retried
	remote bool
}

// compose makes a job of flags and arguments. Nothing is sent, and standard input is read only for a script.
func (a *app) compose(c composing) (request, error) {
	spec := rota.Spec{}
	if c.base != nil {
		spec = *c.base
	}
	flags, scripted, program, err := a.whatRuns(&spec, c)
	if err != nil {
		return request{}, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return request{}, fileError("working folder", err)
	}
	who := caller{now: a.now(), remote: c.remote, dir: dir, environ: os.Environ()}
	if c.base == nil {
		surround(&spec, flags, who)
		a.noteLeftOut(who, flags)
	}
	if err := flags.apply(&spec, who); err != nil {
		return request{}, err
	}
	if c.run && c.base == nil && (spec.Retry == nil || spec.Retry.Count == nil) {
		none := 0
		spec.Retry = &rota.Retry{Count: &none}
		_ = flags.applyRetry(&spec, who)
	}
	r := request{Submission: rota.Submission{Spec: spec, Key: flags.key}, flags: flags, program: program}
	if c.run && spec.On == rota.OnAll {
		r.Spec.On, r.everywhere = "", true
	}
	if err := a.whatGoesAlong(&r, c, scripted); err != nil {
		return request{}, err
	}
	return r, r.check()
}

// surround gives a new job the caller's folder and environment, unless they are on another machine.
func surround(spec *rota.Spec, f *specFlags, who caller) {
	if who.remote {
		return
	}
	if !f.changed("workdir") {
		spec.Dir = who.dir
	}
	if !f.changed("env") && !f.changed("user") { // what is the caller's is not another's
		dir := who.dir
		if f.changed("workdir") {
			if dir = f.dir; !filepath.IsAbs(dir) {
				dir = filepath.Join(who.dir, dir)
			}
		}
		spec.Env = inherited(who.environ, dir)
	}
}

// whatRuns takes the command, shell text or script, and the flags with those of the script beneath.
func (a *app) whatRuns(spec *rota.Spec, c composing) (flags *specFlags, scripted bool, program string, err error) {
	f := c.flags
	script := f.script
	args := c.args
	if script == "" && !f.changed("command") && len(args) > 0 && args[0] == ownStdin && !c.dashed {
		script, args = ownStdin, args[1:]
	}
	if script == "" && !f.changed("command") && !f.changed("script") && !f.changed("binary") && len(args) == 0 && c.base == nil && !c.run && pipeOrFile(a.in) {
		script = ownStdin
	}
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return nil, false, "", rota.Invalid("argument %q: is not UTF-8 text", arg).WithFix("name the file in another way, such as by a pattern in -c text")
		}
	}
	if f.changed("script") || f.changed("binary") {
		return a.programmed(spec, f, args)
	}
	switch {
	case script != "" && f.changed("command"):
		return nil, false, "", rota.Invalid("-c and -f: a job has either a shell text or a script")
	case f.pipe && (script != "" || f.changed("command")):
		return nil, false, "", rota.Invalid("--pipe: the stages are arguments, not a script or shell text").WithFix("rota submit --pipe -- COMMAND ARG… : COMMAND ARG…")
	case f.pipe:
		nothing(spec)
		spec.Pipe = stages(args)
		return f, false, "", nil
	case script != "":
		flags, scripted, err = a.scripted(spec, f, script, args)
		return flags, scripted, "", err
	case f.changed("interpreter"):
		return nil, false, "", rota.Invalid("--interpreter: is what runs a script, and there is none").WithFix("rota submit --interpreter python3 -f SCRIPT")
	case f.changed("command"):
		nothing(spec)
		spec.Argv, spec.Shell = args, f.shell
		if f.shell == "" {
			return nil, false, "", rota.Invalid("-c: the shell text is empty")
		}
	case len(args) > 0:
		nothing(spec)
		spec.Argv = args
	}
	return f, false, "", nil
}

// programmed takes an executable file that is kept as a blob: of a script, its flags beneath those of the command line.
func (a *app) programmed(spec *rota.Spec, f *specFlags, args []string) (flags *specFlags, scripted bool, program string, err error) {
	given := 0
	for _, name := range []string{"script", "binary", "file", "command"} {
		if f.changed(name) {
			given++
		}
	}
	if given > 1 {
		return nil, false, "", rota.Invalid("-c, -f, --script and --binary: a job has one of them")
	}
	if flags = f; f.changed("script") {
		text, err := a.readScript(f.kept, false)
		if err != nil {
			return nil, false, "", err
		}
		flags = scriptSet(f.fs.Lookup("at") != nil)
		if err := errors.Join(scriptFlags(text, flags), f.overlay(flags)); err != nil {
			return nil, false, "", err
		}
	}
	program, err = a.program(spec, f.kept, args)
	return flags, false, program, err
}

// nothing takes away what a job before ran.
func nothing(s *rota.Spec) {
	s.Executor, s.Argv, s.Shell, s.Script, s.Blob, s.Pipe, s.Interpreter = "", nil, "", "", "", nil, nil
}

// stages are the commands that ":" separates. "::" is an argument ":".
func stages(args []string) [][]string {
	all := [][]string{nil}
	for _, arg := range args {
		switch arg {
		case rota.StageSign:
			all = append(all, nil)
			continue
		case rota.StageSign + rota.StageSign:
			arg = rota.StageSign
		}
		all[len(all)-1] = append(all[len(all)-1], arg)
	}
	return all
}

// scripted takes a script, and puts its flags beneath those of the command line.
func (a *app) scripted(spec *rota.Spec, f *specFlags, name string, args []string) (*specFlags, bool, error) {
	text, err := a.readScript(name, f.changed("interpreter"))
	if err != nil {
		return nil, false, err
	}
	under := scriptSet(f.fs.Lookup("at") != nil)
	if err := scriptFlags(text, under); err != nil {
		return nil, false, err
	}
	if err := f.overlay(under); err != nil {
		return nil, false, err
	}
	nothing(spec)
	spec.Argv, spec.Script = args, text
	if spec.Interpreter, err = splitWords(f.interpreter); err != nil {
		return nil, false, rota.Invalid("--interpreter: %v", err)
	}
	if name != ownStdin && spec.Name == "" {
		spec.Name = filepath.Base(name)
	}
	return under, name == ownStdin, nil
}

// whatGoesAlong decides about lines and standard input.
func (a *app) whatGoesAlong(r *request, c composing, scripted bool) error {
	stdin := r.flags.stdin
	passes := stdin == ownStdin || (stdin == "" && c.run && pipeOrFile(a.in))
	if r.flags.changed("each-line") {
		if r.lines = r.flags.lines; r.lines == "" {
			return rota.Invalid("--each-line: names no file").WithFix("--each-line FILE, or --each-line - for standard input")
		}
		if stdin == ownStdin {
			return rota.Invalid("--stdin -: a job with one task a line takes no input of its own").WithFix("use {line} or $ROTA_LINE, or --stdin FILE")
		}
		passes = false
	}
	if scripted && (stdin == ownStdin || r.lines == ownStdin) {
		return rota.Invalid("standard input is the script already").WithFix("give the script as a file: -f FILE")
	}
	r.input = passes && !scripted && !r.Spec.Lines
	return nil
}

// check refuses what the server would refuse, before anything is uploaded.
func (r *request) check() error {
	if _, err := r.resolved(); err != nil {
		return err
	}
	if r.flags.wait && r.flags.follow {
		return rota.Invalid("--wait and --follow: choose one; --follow waits too")
	}
	return nil
}

// resolved is the job as it would be stored.
func (r *request) resolved() (rota.Spec, error) {
	s := r.Submission
	s.More = r.Spec.Lines
	err := s.Resolve()
	return s.Spec, err
}

// pipeOrFile reports whether a standard input has something to pass on: it is a pipe, a socket or a file, and not
// a terminal or a device such as /dev/null.
func pipeOrFile(in any) bool {
	if in == nil {
		return false
	}
	f, ok := in.(*os.File)
	if !ok {
		return true
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeDevice|os.ModeCharDevice) == 0
}

// noteLeftOut says what of the caller's environment cannot be taken along.
func (a *app) noteLeftOut(who caller, f *specFlags) {
	if f.env == envClean || (who.remote && f.env == "") {
		return
	}
	for _, e := range who.environ {
		if key, _, _ := strings.Cut(e, "="); !utf8.ValidString(e) {
			a.note("rota: the environment variable %s is not UTF-8 text and is left out", clean(key))
		}
	}
}

// positional are the arguments of a command, and whether "--" stood before them.
func positional(cmd *cobra.Command, args []string) (before, after []string, dashed bool) {
	at := cmd.ArgsLenAtDash()
	if at < 0 {
		return args, nil, false
	}
	return args[:at], args[at:], true
}
