package keeper

import (
	"log/slog"
	"maps"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// end kills what is left of an earlier keeper's attempts and waits until it is dead.
func (l life) end(log *slog.Logger) error {
	groups, err := l.groups()
	if err != nil {
		return err
	}
	for group, b := range groups {
		log.Info("ending what an earlier node left running", "task", b.Task, "attempt", b.Attempt, "group", group)
		_ = unix.Kill(-group, unix.SIGKILL)
	}
	for waited := time.Duration(0); len(groups) > 0; waited += 2 * time.Millisecond {
		all, err := running()
		if err != nil {
			return err
		}
		maps.DeleteFunc(groups, func(group int, _ birth) bool { return !hasMember(all, group) })
		if waited > gone {
			log.Error("killed, but processes remain that an earlier node left running", "groups", len(groups))
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// groups are the process groups that an earlier keeper left, each proven to be of its making.
func (l life) groups() (map[int]birth, error) {
	found := map[int]birth{}
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
func (l life) prove(b birth, all map[int]*process, found map[int]birth) (unsure bool) {
	if leader := all[b.pid]; leader != nil {
		if leader.started >= tick(b.before) && leader.started <= tick(b.after) && isYoung(all, leader.group, b) {
			found[leader.group] = b
		}
		return false
	}
	mark := scratchMark + filepath.Join(l.dir, "slots", strconv.Itoa(b.slot), "scratch")
	for _, p := range all {
		if b.pid != 0 && p.group != b.pid || b.pid == 0 && p.session != l.session || !isYoung(all, p.group, b) {
			continue
		}
		carries, known := p.carries(mark)
		if carries {
			found[p.group] = b
		}
		unsure = unsure || !known
	}
	return unsure && (b.pid == 0 || found[b.pid] != b)
}

func isYoung(all map[int]*process, group int, b birth) bool {
	for _, p := range all {
		if p.group == group && p.started < tick(b.before) {
			return false
		}
	}
	return true
}
