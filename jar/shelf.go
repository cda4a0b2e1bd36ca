package jar

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// shelf is one folder of waiting jobs, in order, as it was when it was last read.
//
// It is read again when it has changed since and nothing is left of what was read, or enough time has passed that
// reading takes a sixtieth of it: in a small folder that is before every claim, and in one with a hundred
// thousand jobs after seconds, in which newcomers wait whatever their priority.
type shelf struct {
	dir      string
	category string

	waiting []entry // what is left, the next first
	leap    int     // how far it goes on after a job that another was faster to claim

	changed time.Time        // the folder's own time of its last change, as it was read
	since   rota.Elapsed     // when that time was first seen
	read    rota.Elapsed     // when it was read
	took    rota.Elapsed     // how long that took; 0: never read
	doubts  map[string]doubt // files that may not be whole yet
	others  bool             // there are files that cannot be run, and may become jobs without a change of the folder
}

// doubt is a file that may not be whole: as it was, since when, and how long it must stay so.
type doubt struct {
	file
	since    rota.Elapsed
	patience rota.Elapsed
}

const (
	rest = 64 // times as long as reading took it is not read again, unless nothing is left
	// grain is how coarse a file system's times may be: what changes within it can leave them as they were.
	grain = rota.Elapsed(2 * time.Second)
	// settled is how long a file must have stayed as it is that may be one that is being written, where it cannot be known
	// whether somebody does; written is when one that somebody writes to is looked at again.
	settled = rota.Elapsed(5 * time.Second)
	written = rota.Elapsed(time.Second)
)

// look brings the shelf up to date as far as it needs to be. A category that nobody has made is empty.
func (s *shelf) look(now func() rota.Elapsed) error {
	began := now()
	info, err := os.Stat(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.waiting, s.took, s.doubts = nil, 0, nil
		return nil
	}
	if err != nil {
		return err
	}
	if s.took != 0 && !s.isStale(info.ModTime(), began) {
		return nil
	}
	if s.took == 0 || !info.ModTime().Equal(s.changed) {
		s.changed, s.since = info.ModTime(), began
	}
	if err := s.fill(began); err != nil {
		return err
	}
	s.read = now()
	s.took, s.leap = max(s.read-began, 1), 1
	return nil
}

// isStale reports whether the folder is to be read again.
func (s *shelf) isStale(changed time.Time, now rota.Elapsed) bool {
	switch {
	case len(s.waiting) > 0:
		return now-s.read >= rest*s.took
	case !changed.Equal(s.changed), s.read-s.since < grain:
		return true
	}
	return len(s.doubts) > 0 || s.others
}

// soon is when a file of the shelf will be known to be whole, if it stays as it is; 0: nothing is in doubt.
func (s *shelf) soon() (at rota.Elapsed) {
	for _, d := range s.doubts {
		if end := d.since + d.patience; at == 0 || end < at {
			at = end
		}
	}
	return at
}

// fill reads the folder. Of what is known already nothing but the name is read, and its place in the order stays.
func (s *shelf) fill(now rota.Elapsed) error {
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	there := make(map[string]bool, len(s.waiting)) // of what is known, whether it was found
	for _, e := range s.waiting {
		there[e.name] = false
	}
	s.others = false
	var fresh []entry
	doubts := map[string]doubt{}
	for {
		names, err := d.Readdirnames(4096)
		for _, name := range names {
			if _, known := there[name]; known {
				there[name] = true
			} else if IsName(name) {
				if e, ok := s.meet(int(d.Fd()), name, doubts, now); ok {
					fresh = append(fresh, e)
				}
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	s.doubts = doubts
	s.waiting = slices.DeleteFunc(s.waiting, func(e entry) bool { return !there[e.name] })
	slices.SortFunc(fresh, compare)
	s.waiting = merge(s.waiting, fresh)
	return nil
}

// merge puts two lists in order into one.
func merge(a, b []entry) []entry {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	all := make([]entry, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		next := &a
		if compare(b[0], a[0]) < 0 {
			next = &b
		}
		all, *next = append(all, (*next)[0]), (*next)[1:]
	}
	return append(append(all, a...), b...)
}

// meet looks at a file that is new, and tells whether it is a job that can be claimed.
func (s *shelf) meet(folder int, name string, doubts map[string]doubt, now rota.Elapsed) (entry, bool) {
	f, kind := lookAt(folder, name)
	if kind != isJob {
		s.others = s.others || kind == isOther
		return entry{}, false
	}
	if !f.isWhole() && s.doubt(name, f, doubts, now) {
		return entry{}, false
	}
	return entry{name: name, priority: PriorityOf(name), age: f.changed, size: f.size}, true
}

// doubt reports whether a file may be one that is being written. One that was not touched since it was last written to
// may also have been moved here within the grain of the clock: where it can be known that nobody has it open it is whole.
func (s *shelf) doubt(name string, f file, doubts map[string]doubt, now rota.Elapsed) bool {
	closed, known := isClosed(filepath.Join(s.dir, name))
	if closed {
		return false
	}
	d, again := s.doubts[name]
	if !again || d.file != f {
		d = doubt{file: f, since: now}
	}
	if d.patience = settled; known {
		d.patience = now - d.since + written
	}
	if now-d.since >= d.patience {
		return false
	}
	doubts[name] = d
	return true
}

// isStill reports whether an entry's file is as it was, and whether there is none of its name any more. Another of the
// same name is to be looked at as any new one.
func (s *shelf) isStill(e entry) (still, gone bool) {
	f, kind := lookAtPath(filepath.Join(s.dir, e.name))
	return kind == isJob && f.changed == e.age && f.size == e.size, kind == isGone
}

// next is the job to be claimed next.
func (s *shelf) next() (entry, bool) {
	if len(s.waiting) == 0 {
		return entry{}, false
	}
	return s.waiting[0], true
}

// had is told that the next one was claimed.
func (s *shelf) had() {
	s.waiting, s.leap = s.waiting[1:], 1
}

// missed is told that the next one cannot be claimed. When that is because another was faster, those behind it are likely
// gone too, for others claim in the same order: it goes on further behind with each miss, within the same priority. What it
// leaps over and was not gone it finds when it reads the folder again, which has changed by what is gone.
func (s *shelf) missed(gone bool) {
	n := 1
	for gone && n < s.leap && n < len(s.waiting) && s.waiting[n].priority == s.waiting[0].priority {
		n++
	}
	s.waiting = s.waiting[n:]
	if gone {
		s.leap *= 2
	}
}
