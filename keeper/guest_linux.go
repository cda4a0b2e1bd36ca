//go:build !386 && !arm

package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota/executor"
)

// receive makes all that stands around a process that runs as somebody else.
func (s *slot) receive(l *launch, p *executor.Process) (f *failure) {
	if l.as, f = s.guestOf(p.As); f != nil {
		return f
	}
	g := l.as
	l.sys = g.attr(l.sys)
	if err := s.keeper.check(g); err != nil {
		return failOurs(fmt.Errorf("become user %d: %w", g.uid, err))
	}
	if p.As.Slots > 0 && !s.hosted[g.uid] {
		if err := endAllOf(g.uid); err != nil {
			return failOurs(err)
		}
	}
	if err := g.open(g.room); err != nil {
		return failOurs(err)
	}
	if len(p.Secrets) > 0 {
		if err := g.open(s.secretRoom()); err != nil {
			return failOurs(err)
		}
		s.secrets = true
	}
	if p.Program != "" {
		if err := g.copy(p.Program); err != nil {
			return failOurs(err)
		}
	}
	if err := s.lend(l, p); err != nil {
		return failOurs(err)
	}
	return g.do(func() *failure {
		if err := g.furnish(p.Token); err != nil {
			return failOurs(err)
		}
		return s.furnish(l, p)
	})
}

// lend opens the slot's own files for the guest's output: new ones, which no other guest can have got hold of.
func (s *slot) lend(l *launch, p *executor.Process) error {
	for i := range s.streams {
		o := &s.streams[i]
		if ownFile(p, o.name) != "" {
			continue
		}
		o.renew()
		fd, err := o.open()
		if err != nil {
			return err
		}
		l.use(1+i, fd)
		if err := o.give(int(l.as.uid), int(l.as.gid)); err != nil {
			return err
		}
	}
	return nil
}

// open makes a room of the guest's. It is made in a folder that is only ours to change, and becomes the guest's by a descriptor:
// no path is ever given to anybody, so that nobody can put something else in its place.
func (g *guest) open(room string) error {
	house := filepath.Dir(room)
	if err := os.Mkdir(house, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(house, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != 0 || st.Mode&0o022 != 0 {
		return fmt.Errorf("%s is not a folder of root's alone; remove it", house)
	}
	if err := os.RemoveAll(room); err != nil {
		return err
	}
	if err := os.Mkdir(room, 0o700); err != nil {
		return err
	}
	fd, err := unix.Open(room, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Fchown(fd, int(g.uid), int(g.gid))
}

// copy gives the guest a copy of a program that only we can open. Nobody else is in the room yet.
func (g *guest) copy(program string) error {
	from, err := os.Open(program)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(g.program(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Chown(int(g.uid), int(g.gid)), to.Close())
}

// furnish puts into the room what the guest finds there, in its name.
func (g *guest) furnish(token string) error {
	if err := os.Mkdir(filepath.Join(g.room, "scratch"), 0o700); err != nil || token == "" {
		return err
	}
	path := filepath.Join(g.room, "token")
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o400)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(token))
	g.own = append(g.own, "ROTA_TOKEN_FILE="+path)
	return errors.Join(err, unix.Close(fd))
}

// dismiss ends what is left of a guest, and its room.
func (s *slot) dismiss(id *executor.Identity) {
	if id == nil {
		return
	}
	g, f := s.guestOf(id)
	if f != nil {
		return
	}
	var err error
	if id.Slots > 0 {
		if s.hosted == nil {
			s.hosted = map[uint32]bool{}
		}
		// What a control group holds cannot leave it; elsewhere only a look at all processes tells.
		s.hosted[g.uid] = s.group.folder() != "" && s.hosted[g.uid] || endAllOf(g.uid) == nil
	}
	for i := range s.streams {
		s.streams[i].renew()
	}
	if err = os.RemoveAll(g.room); err != nil {
		s.keeper.log.Error("the folder of an attempt that ran as another user is left", "folder", g.room, "error", err)
	}
}

// attr is how a process is started that the guest's is to be, and as others are.
func (g *guest) attr(of *syscall.SysProcAttr) *syscall.SysProcAttr {
	if g == nil {
		return of
	}
	attr := *of
	attr.Credential = &syscall.Credential{Uid: g.uid, Gid: g.gid, Groups: g.groups}
	return &attr
}

// do does something with the guest's rights to files, and without the keeper's: on this thread alone, which is the
// slot's.
func (g *guest) do(f func() *failure) *failure {
	if g == nil {
		return f()
	}
	groups, err := unix.Getgroups()
	if err != nil {
		return failOurs(err)
	}
	back := func() {
		kept := make([]uint32, len(groups))
		for i, n := range groups {
			kept[i] = uint32(n)
		}
		if err := takePlace(0, uint32(os.Getegid()), kept); err != nil {
			panic(fmt.Sprintf("keeper: a thread is not itself again: %v", err)) // whatever it did next would be done as somebody else
		}
	}
	defer back()
	if err := takePlace(g.uid, g.gid, g.groups); err != nil {
		return failOurs(err)
	}
	return f()
}

// takePlace makes this thread somebody where files are concerned, which takes the privileges over files from it, or gives
// them back. The system says whether it did so only when asked again.
func takePlace(uid, gid uint32, groups []uint32) error {
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first), 0); errno != 0 {
		return fmt.Errorf("set groups: %w", errno)
	}
	for _, set := range []struct {
		to   int
		call func(int) (int, error)
	}{{int(gid), unix.SetfsgidRetGid}, {int(uid), unix.SetfsuidRetUid}} {
		if _, err := set.call(set.to); err != nil {
			return err
		}
		if now, err := set.call(-1); err != nil || now != set.to {
			return fmt.Errorf("rights to files are those of %d, not of %d", now, set.to)
		}
	}
	return nil
}

// check makes sure, once for each guest, that a process which is started as one is that user and has nothing else: it
// starts a shell that waits for a line, and looks at what the system says of it.
func (k *Local) check(g *guest) error {
	slices.Sort(g.groups)
	key := fmt.Sprint(g.uid, g.gid, g.groups)
	k.mu.Lock()
	defer k.mu.Unlock()
	err, known := k.checked[key]
	if known {
		return err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "read line"}, &syscall.ProcAttr{Dir: "/", Sys: g.attr(&apart),
		Files: []uintptr{uintptr(pipe[0]), uintptr(k.null), uintptr(k.null)}})
	if err != nil {
		return err // and try again next time
	}
	err = g.compare(pid)
	_ = unix.Kill(-pid, unix.SIGKILL)
	for {
		if _, werr := unix.Wait4(pid, nil, 0, nil); werr != unix.EINTR {
			break
		}
	}
	if k.checked == nil {
		k.checked = map[string]error{}
	}
	k.checked[key] = err
	return err
}

// compare compares what a process is with what it should be.
func (g *guest) compare(pid int) error {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return err
	}
	want := map[string]string{"Uid": four(g.uid), "Gid": four(g.gid), "Groups": numbers(g.groups),
		"CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapAmb": "0000000000000000"}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		is := strings.Join(strings.Fields(value), " ")
		if should, asked := want[name]; asked {
			if is != should {
				return fmt.Errorf("a process that was to have %s %s has %s", name, should, is)
			}
			delete(want, name)
		}
	}
	delete(want, "CapAmb") // before Linux 4.3 there are none
	if len(want) > 0 {
		return errors.New("the system does not say what a process may do")
	}
	return nil
}

func four(n uint32) string { return numbers([]uint32{n, n, n, n}) }

func numbers(all []uint32) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = strconv.Itoa(int(n))
	}
	return strings.Join(texts, " ")
}

// endAllOf kills every process of a user, and returns when none is left.
func endAllOf(uid uint32) error {
	for range int(gone.Milliseconds()) / 2 {
		all, err := running()
		if err != nil {
			return err
		}
		left := 0
		for _, p := range all {
			if p.isOf(uid) {
				left++
				signalTo(p.pid, unix.SIGKILL, p.isStill)
			}
		}
		if left == 0 {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("processes of user %d were killed, and still run", uid)
}

// isOf reports whether one of a process's users is this one. The owner of its folder in /proc is not always it.
func (p *process) isOf(uid uint32) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/status")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), "\nUid:")
	line, _, _ := strings.Cut(rest, "\n")
	return slices.Contains(strings.Fields(line), strconv.Itoa(int(uid)))
}
