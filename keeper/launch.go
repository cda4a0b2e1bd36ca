package keeper

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/executor"
)

// launch is a process ready to be started.
type launch struct {
	path  string // of the program, as execve takes it
	argv  []string
	env   []string
	dir   string
	files [3]int
	sys   *syscall.SysProcAttr
	open  []int    // of those, what is closed when the process has them
	body  bool     // the program is the attempt's own text
	tells *os.File // where a pipeline tells how its stages ended; nil: it is none
	as    *guest   // who it runs as; nil: who we do
}

// prepare makes all that stands around a process. What it opened is in the launch also when it fails.
func (s *slot) prepare(p *executor.Process) (*launch, *failure) {
	l := &launch{argv: p.Argv, dir: s.folder(p)}
	if !s.made {
		if err := s.make(); err != nil {
			return l, failOurs(err)
		}
	}
	l.sys = s.group.attr
	if l.files[0] = s.keeper.null; p.Input != "" {
		fd, f := openFor("standard input", p.Input, unix.O_RDONLY) // with our rights: it was uploaded for the job
		if f != nil {
			return l, f
		}
		l.use(0, fd)
	}
	if p.As != nil {
		if f := s.receive(l, p); f != nil {
			return l, f
		}
	} else if f := s.furnish(l, p); f != nil {
		return l, f
	}
	if err := mayHave(l.open...); err != nil {
		return l, failOurs(err)
	}
	return l, nil
}

// furnish gives the attempt what it finds: its token, environment, program and files. It is done with the rights to files
// of who the attempt runs as.
func (s *slot) furnish(l *launch, p *executor.Process) *failure {
	own := s.own[:2]
	if len(p.Secrets) > 0 {
		names, err := s.writeSecrets(p.Secrets)
		if err != nil {
			return failOurs(err)
		}
		own = slices.Concat(own, names)
	}
	if l.as != nil {
		own = slices.Concat(l.as.own, own[2:])
	} else if p.Token != "" {
		if err := s.token.write(p.Token); err != nil {
			s.made = false
			return failOurs(err)
		}
		own = append(own[:len(own):len(own)], s.own[2])
	}
	s.env = append(append(s.env[:0], p.Env...), own...)
	l.env = s.env
	if f := s.choose(l, p); f != nil {
		return f
	}
	return s.connect(l, p)
}

// choose says which program runs: the attempt's own, in what is put around it.
func (s *slot) choose(l *launch, p *executor.Process) *failure {
	if f := s.chooseOwn(l, p); f != nil {
		return f
	}
	if len(p.Pipe) > 0 || len(p.ErrWrap) > 0 {
		if f := l.join(p); f != nil {
			return f
		}
	}
	if len(p.Wrap) == 0 {
		return nil
	}
	l.argv = slices.Concat(p.Wrap, []string{l.path}, l.argv[1:])
	return l.find(p.Wrap[0])
}

// chooseOwn is about what the job named.
func (s *slot) chooseOwn(l *launch, p *executor.Process) *failure {
	switch {
	case len(p.Pipe) > 0:
		return nil // its programs are looked for when it runs
	case p.Program != "":
		if l.path = p.Program; l.as != nil {
			l.path = l.as.program()
		}
		l.argv = slices.Concat([]string{l.path}, p.Argv[min(1, len(p.Argv)):])
		return l.find(l.path)
	case p.Body == "" && len(p.Argv) == 0:
		return refused(notFound, "nothing to run: no program is named")
	case p.Body == "":
		return l.find(p.Argv[0])
	}
	l.body, l.path = true, filepath.Join(s.place(l), "body")
	if err := writeBody(l.path, p.Body); err != nil {
		s.made = false
		return failOurs(err)
	}
	by := p.Interpreter
	if len(by) == 0 && needsShell(p.Body) {
		by = []string{"/bin/sh"}
	}
	if len(by) == 0 {
		return nil
	}
	l.argv = slices.Concat(by, []string{l.path}, p.Argv[min(1, len(p.Argv)):])
	l.body = len(p.Interpreter) == 0
	return l.find(by[0])
}

func (l *launch) find(name string) (f *failure) {
	l.path, f = find(name, l.env, l.dir, l.mayRun())
	return f
}

// connect opens what the process reads from and writes to.
func (s *slot) connect(l *launch, p *executor.Process) *failure {
	if p.Stdin != "" {
		fd, f := openFor("standard input", resolve(l.dir, p.Stdin), unix.O_RDONLY)
		if f != nil {
			return f
		}
		l.use(0, fd)
	}
	for i := range s.streams {
		o := &s.streams[i]
		own := ownFile(p, o.name)
		switch {
		case own == "" && l.as != nil: // lent
		case own == "":
			fd, err := o.open()
			if err != nil {
				s.made = false
				return failOurs(err)
			}
			l.use(1+i, fd)
		case i == 1 && p.Out != "" && resolve(l.dir, own) == resolve(l.dir, p.Out):
			l.files[2] = l.files[1]
		default:
			flags := unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND
			if !p.Append {
				flags |= unix.O_TRUNC
			}
			fd, f := openFor("output file", resolve(l.dir, own), flags)
			if f != nil {
				return f
			}
			l.use(1+i, fd)
		}
	}
	return nil
}

func (l *launch) use(i, fd int) {
	l.files[i] = fd
	l.open = append(l.open, fd)
}

func (l *launch) close() {
	for _, fd := range l.open {
		_ = unix.Close(fd)
	}
	if l.tells != nil {
		_ = l.tells.Close()
	}
}
