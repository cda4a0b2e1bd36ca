package keeper

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// defaultPath is where programs are looked for in an environment without PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// find is the file of a program. A name without a slash is looked for in the PATH of the job's environment; any other
// is left to execve, which takes it from the working folder.
func find(name string, env []string, dir string, mayRun func(file string) error) (string, *failure) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if name == "" {
		return "", refused(notFound, "nothing to run: the program's name is empty")
	}
	path := defaultPath
	for _, e := range env {
		if p, ok := strings.CutPrefix(e, "PATH="); ok {
			path = p
		}
	}
	forbidden := ""
	for folder := range strings.SplitSeq(path, ":") {
		file := resolve(dir, filepath.Join(folder, name))
		err := mayRun(file)
		if err != nil && err != unix.EACCES {
			continue
		}
		if st, statErr := os.Stat(file); statErr != nil || !st.Mode().IsRegular() {
			continue
		}
		if err == nil {
			return file, nil
		}
		forbidden = file
	}
	if forbidden != "" {
		return "", refused(notExecutable, "program "+forbidden+": not executable")
	}
	return "", refused(notFound, "no such program: "+name+" (looked in PATH="+path+")")
}

// mayRun asks whether a file may be run by who the attempt runs as, with whose rights this is called.
func (l *launch) mayRun() func(file string) error {
	flags := 0
	if l.as != nil {
		flags = unix.AT_EACCESS // not by who the keeper is
	}
	return func(file string) error { return unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, flags) }
}

// diagnose says why the process could not be made. The kernel gives one number for all that may be missing.
func (l *launch) diagnose(err error) *failure {
	if st, dirErr := os.Stat(l.dir); dirErr != nil {
		return fail(dirErr, "working folder "+l.dir+": "+cause(dirErr))
	} else if !st.IsDir() {
		return fail(unix.ENOTDIR, "working folder "+l.dir+": "+unix.ENOTDIR.Error())
	} else if dirErr := l.mayRun()(l.dir); dirErr != nil {
		return fail(dirErr, "working folder "+l.dir+": "+dirErr.Error())
	}
	what := "program " + l.path
	if l.body {
		what = "the script"
	}
	f := fail(err, what+": "+l.explain(err))
	if _, statErr := os.Stat(resolve(l.dir, l.path)); f.outcome == rota.OutcomeRefused && errors.Is(statErr, fs.ErrNotExist) {
		f.code = notFound
	}
	return f
}

func (l *launch) explain(err error) string {
	file := resolve(l.dir, l.path)
	st, statErr := os.Stat(file)
	switch {
	case errors.Is(err, unix.E2BIG):
		return "its arguments and environment together are longer than this system allows"
	case errors.Is(err, unix.ENOEXEC):
		return "not a program that this machine can run (no #! line, or made for another machine)"
	case errors.Is(err, unix.ETXTBSY):
		return "somebody is writing to it (text file busy)"
	case statErr != nil:
		return cause(statErr)
	case errors.Is(err, unix.EACCES) && st.IsDir():
		return "is a folder"
	case errors.Is(err, unix.EACCES) && st.Mode()&0o111 == 0:
		return "not executable; chmod +x " + l.path
	case errors.Is(err, unix.EACCES):
		return "permission denied (by it, by the interpreter it names, or by a file system mounted noexec)"
	case errors.Is(err, unix.ENOENT):
		if by := interpreter(file); by != "" {
			return "its interpreter " + by + " does not exist"
		}
		return "the loader it needs does not exist (made for another system)"
	}
	return err.Error()
}

// interpreter is what the #! line of a file names, quoted: a line end of another system is the usual trouble with it.
func interpreter(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	line, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return ""
	}
	line, _, _ = bytes.Cut(bytes.TrimLeft(line, " \t"), []byte(" "))
	return strconv.Quote(string(line))
}

func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
