package keeper

import (
	"path/filepath"
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
	open  []int // of those, what is closed when the process has them
	body  bool  // the program is the attempt's own text
}

// prepare makes all that stands around a process. What it opened is in the launch also when it fails.
func (s *slot) prepare(p *executor.Process) (*launch, *failure) {
	l := &launch{argv: p.Argv, dir: s.folder(p)}
	if !s.made {
		if err := s.make(); err != nil {
			return l, failOurs(err)
		}
	}
	own := s.own[:2]
	if p.Token != "" {
		if err := s.token.write(p.Token); err != nil {
			s.made = false
			return l, failOurs(err)
		}
		own = s.own[:]
	}
	s.env = append(append(s.env[:0], p.Env...), own...)
	l.env, l.sys = s.env, s.group.attr
	if f := s.choose(l, p); f != nil {
		return l, f
	}
	if f := s.connect(l, p); f != nil {
		return l, f
	}
	if err := mayHave(l.open...); err != nil {
		return l, failOurs(err)
	}
	return l, nil
}

// choose says which program runs.
func (s *slot) choose(l *launch, p *executor.Process) (f *failure) {
	if p.Body == "" {
		if len(p.Argv) == 0 {
			return refused(notFound, "nothing to run: no program is named")
		}
		l.path, f = find(p.Argv[0], l.env, l.dir)
		return f
	}
	l.body, l.path = true, filepath.Join(s.dir, "body")
	if err := writeBody(l.path, p.Body); err != nil {
		s.made = false
		return failOurs(err)
	}
	if needsShell(p.Body) {
		l.argv = append([]string{"/bin/sh", l.path}, p.Argv[min(1, len(p.Argv)):]...)
		l.path = "/bin/sh"
	}
	return nil
}

// connect opens what the process reads from and writes to.
func (s *slot) connect(l *launch, p *executor.Process) *failure {
	l.files[0] = s.keeper.null
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
}
