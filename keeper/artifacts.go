package keeper

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

// What is looked at for the artifacts of one attempt.
const (
	maxLooked = 100_000 // files and folders
	maxDeep   = 32      // folders in each other
)

// gather copies the files that fit the attempt's patterns, and what it wrote to its streams, to where its output is kept
// (C3). Nothing of the attempt runs any more, and its folder is still there. Files are looked for and opened with the rights
// of who it ran as, through no link; what is copied is what is told, whatever becomes of the file meanwhile.
func (s *slot) gather(p *executor.Process, e *executor.Exit) {
	if len(p.Artifacts) == 0 || s.keeper.isClosed() {
		return
	}
	f := finder{folder: s.folder(p), own: p.Dir == ""}
	free := int64(rota.MaxArtifactBytes)
	keep := func(name string, from *os.File, err error) {
		a := executor.Artifact{Name: name, Path: filepath.Join(s.keeper.output, fmt.Sprintf("%d.%d.artifact-%d", int64(p.Task), p.Attempt, len(e.Artifacts)))}
		if err == nil {
			err = copyArtifact(&a, from, free)
		}
		if err != nil {
			f.miss("%q: %s", name, cause(err))
			return
		}
		at.Point("keeper: artifact copied")
		free -= a.Size
		e.Artifacts = append(e.Artifacts, a)
	}
	patterns := slices.Clone(p.Artifacts)
	for _, stream := range []rota.Stream{rota.Stdout, rota.Stderr} {
		name := stream.Artifact()
		if !slices.Contains(patterns, name) {
			continue
		}
		patterns = slices.DeleteFunc(patterns, func(p string) bool { return p == name })
		if ownFile(p, stream) != "" {
			f.miss("%q: it goes to a file of the job's own", name)
		} else if path := e.Output[stream]; path != "" {
			from, err := os.Open(path)
			keep(name, from, err)
		}
	}
	if len(patterns) > 0 {
		s.gatherFiles(p, e, &f, patterns, keep)
	}
	e.Missed = f.missed()
}

// gatherFiles keeps the files that fit patterns.
func (s *slot) gatherFiles(p *executor.Process, e *executor.Exit, f *finder, patterns []string, keep func(name string, from *os.File, err error)) {
	var g *guest
	if p.As != nil {
		var fault *failure
		if g, fault = s.guestOf(p.As); fault != nil {
			f.miss("%s", fault.reason)
			return
		}
	}
	if fault := g.do(func() *failure { f.find(patterns); return nil }); fault != nil {
		f.miss("%s", fault.reason)
	}
	slices.Sort(f.found)
	for i, name := range f.found {
		if len(e.Artifacts) == rota.MaxArtifacts {
			f.miss("%d files are more than the %d that may be kept", len(f.found)-i+rota.MaxArtifacts, rota.MaxArtifacts)
			break
		}
		if name == rota.Stdout.Artifact() || name == rota.Stderr.Artifact() {
			f.miss("%q: is the name of what was written to a stream", name)
			continue
		}
		var from *os.File
		err := error(unix.EPERM)
		if fault := g.do(func() *failure { from, err = f.open(name); return nil }); fault != nil {
			err = errors.New(fault.reason)
		}
		keep(name, from, err)
	}
}

// copyArtifact makes the copy, and says what it is.
func copyArtifact(a *executor.Artifact, from *os.File, free int64) error {
	defer from.Close()
	tooMuch := fmt.Errorf("with it there would be more than the %s that may be kept", bytesOf(rota.MaxArtifactBytes))
	if info, err := from.Stat(); err != nil || info.Size() > free {
		return cmp.Or(err, tooMuch)
	}
	to, err := os.OpenFile(a.Path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	a.Size, err = io.Copy(io.MultiWriter(to, sum), io.LimitReader(from, free+1))
	if err == nil && a.Size > free { // somebody still writes to it
		err = tooMuch
	}
	if e := to.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(a.Path)
	}
	a.Sum = hex.EncodeToString(sum.Sum(nil))
	return err
}

// finder finds files below a folder.
type finder struct {
	folder string
	own    bool // the folder is the keeper's own: nobody puts a link in its place
	found  []string
	looked int
	notes  []string // what was not kept, and why
	more   int      // of those that are not among the notes
}

// miss notes why something is not kept. Some reasons are enough.
func (f *finder) miss(format string, args ...any) {
	if len(f.notes) == 3 {
		f.more++
		return
	}
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

func (f *finder) missed() string {
	text := strings.Join(f.notes, "; ")
	if f.more > 0 {
		text += fmt.Sprintf("; and %d more", f.more)
	}
	return text
}

// find looks for all files that fit patterns.
func (f *finder) find(patterns []string) {
	var w wanted
	for _, p := range patterns {
		w = w.and(strings.Split(p, "/"))
	}
	dir, err := f.top()
	switch {
	case errors.Is(err, unix.ENOENT): // the attempt has left nothing at all
	case err != nil:
		f.miss("working folder: %s", cause(err))
	default:
		f.walk(dir, "", w, 0)
	}
}

// top opens the working folder.
func (f *finder) top() (int, error) {
	flags := unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	if f.own {
		flags |= unix.O_NOFOLLOW
	}
	return unix.Open(f.folder, flags, 0)
}

// walk looks through an open folder, which it closes.
func (f *finder) walk(fd int, below string, w wanted, deep int) {
	dir := os.NewFile(uintptr(fd), below)
	defer dir.Close()
	w = w.here()
	names, err := dir.Readdirnames(maxLooked - f.looked + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		f.miss("folder %q: %s", below, cause(err))
	}
	slices.Sort(names)
	for _, name := range names {
		if f.looked++; f.looked > maxLooked {
			if f.looked == maxLooked+1 {
				f.miss("there are more than %d files and folders to be looked at", maxLooked)
			}
			return
		}
		fits, further := w.below(name)
		if !fits && len(further) == 0 {
			continue
		}
		var st unix.Stat_t
		if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue // gone meanwhile
		}
		full := path.Join(below, name)
		switch kind := uint32(st.Mode) & unix.S_IFMT; {
		case kind == unix.S_IFDIR && len(further) == 0:
		case kind == unix.S_IFDIR && deep == maxDeep:
			f.miss("folder %q: is too deep", full)
		case kind == unix.S_IFDIR:
			sub, err := openat(fd, name, unix.O_DIRECTORY)
			if err != nil {
				f.miss("folder %q: %s", full, cause(err))
				continue
			}
			f.walk(sub, full, further, deep+1)
		case !fits:
		case kind != unix.S_IFREG:
			f.miss("%q: is a link, or no file", full)
		case rota.CheckArtifactName(full) != nil:
			f.miss("%.100q: its name is too long, or no text", full)
		default:
			f.found = append(f.found, full)
		}
	}
}

// openat opens what has a name in an open folder, and is no link. It waits for nobody.
func openat(dir int, name string, flags int) (int, error) {
	return unix.Openat(dir, name, flags|unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
}

// open opens a file that was found, unless something else has taken its place.
func (f *finder) open(name string) (*os.File, error) {
	dir, err := f.top()
	if err != nil {
		return nil, err
	}
	parts := strings.Split(name, "/")
	last := len(parts) - 1
	for _, part := range parts[:last] {
		sub, err := openat(dir, part, unix.O_DIRECTORY)
		_ = unix.Close(dir)
		if err != nil {
			return nil, err
		}
		dir = sub
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstatat(dir, parts[last], &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, err
	}
	if uint32(st.Mode)&unix.S_IFMT != unix.S_IFREG { // to open a device may do something already
		return nil, errNoFile
	}
	fd, err := openat(dir, parts[last], 0)
	if err != nil {
		return nil, err
	}
	if err = unix.Fstat(fd, &st); err == nil && uint32(st.Mode)&unix.S_IFMT != unix.S_IFREG {
		err = errNoFile
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

var errNoFile = errors.New("is a link, or no file")

// wanted are patterns of what is below a folder, part by part.
type wanted [][]string

func (w wanted) and(p []string) wanted {
	if slices.ContainsFunc(w, func(q []string) bool { return slices.Equal(p, q) }) {
		return w
	}
	return append(w, p)
}

// here adds what patterns mean whose first part stands for no folder at all.
func (w wanted) here() wanted {
	for i := 0; i < len(w); i++ {
		if len(w[i]) > 1 && w[i][0] == rota.AnyFolders {
			w = w.and(w[i][1:])
		}
	}
	return w
}

// below is whether a file of that name fits, and what is wanted of a folder of that name.
func (w wanted) below(name string) (fits bool, further wanted) {
	for _, p := range w {
		if p[0] == rota.AnyFolders {
			fits, further = fits || len(p) == 1, further.and(p)
			continue
		}
		if ok, _ := path.Match(p[0], name); !ok {
			continue
		}
		if len(p) == 1 {
			fits = true
		} else {
			further = further.and(p[1:])
		}
	}
	return fits, further
}
