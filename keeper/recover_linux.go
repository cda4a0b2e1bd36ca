package keeper

import (
	"log/slog"
	"maps"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
)

// end kills what is left of an earlier keeper's attempts and waits until it is dead.
func (l life) end(log *slog.Logger) error {
	killed := map[int]rota.Elapsed{}
	for waited := time.Duration(0); ; waited += 2 * time.Millisecond {
		groups, err := l.groups()
		if err != nil {
			return err
		}
		for group, w := range groups {
			if killed[group] == 0 {
				log.Info("ending what an earlier node left running", "task", w.Task, "attempt", w.Attempt, "group", group)
			}
			w.kill(group)
			killed[group] = clock.Elapsed()
		}
		maps.DeleteFunc(killed, func(group int, at rota.Elapsed) bool { return !isRunning(group, at) })
		if len(killed) == 0 {
			return nil
		}
		if waited > gone {
			log.Error("killed, but processes remain that an earlier node left running", "groups", len(killed))
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// witness is a process by which a group is proven to be of an attempt.
type witness struct {
	birth
	*process
}

// kill kills a group. Its witness is made to stand still first: while it stands there, nobody else can have the group's
// number.
func (w witness) kill(group int) {
	const patience = 100 // looks
	if !signalTo(w.process.pid, unix.SIGSTOP, w.isStill) {
		return // the next look finds another witness, if anything is left
	}
	for range patience {
		if p := look(w.process.pid); p == nil || p.state == 'T' {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	if w.isStill() {
		_ = unix.Kill(-group, unix.SIGKILL)
	}
}

// groups are the process groups that an earlier keeper left, each proven to be of its making.
func (l life) groups() (map[int]witness, error) {
	found := map[int]witness{}
	// A process that is just becoming another program shows no environment for a moment: ask again.
	for range 10 {
		all, err := running()
		if err != nil {
			return nil, err
		}
		unsure := false
		for _, b := range l.runs {
			unsure = l.prove(b, all, found) || unsure
		}
		if !unsure {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return found, nil
}

// prove adds what lives of a birth to what was found, and reports whether it could not tell.
//
// A number alone proves nothing, for it may have been used again. What does is a leader that was made when the journal
// says; or, with the leader dead, a member of its group that carries the mark of the slot: while one member lives, no
// other process and no other group can have the number. Where the number was never told, it is the mark, in a process
// of the keeper's session that is no older than the attempt. A group with older members is never ours.
func (l life) prove(b birth, all map[int]*process, found map[int]witness) (unsure bool) {
	if leader := all[b.pid]; leader != nil {
		if leader.started >= tick(b.before) && leader.started <= tick(b.after) && isYoung(all, leader.group, b) {
			found[leader.group] = witness{b, leader}
		}
		return false
	}
	mark := scratchMark + filepath.Join(l.dir, "slots", strconv.Itoa(b.slot), "scratch")
	guests := scratchMark + filepath.Join(guestHouse(l.dir), strconv.Itoa(b.slot), "scratch")
	for _, p := range all {
		if b.pid != 0 && p.group != b.pid || b.pid == 0 && p.session != l.session || !isYoung(all, p.group, b) {
			continue
		}
		carries, known := p.carries(mark, guests)
		if carries {
			found[p.group] = witness{b, p}
		}
		unsure = unsure || !known
	}
	return unsure && (b.pid == 0 || found[b.pid].birth != b)
}

func isYoung(all map[int]*process, group int, b birth) bool {
	for _, p := range all {
		if p.group == group && p.started < tick(b.before) {
			return false
		}
	}
	return true
}
