package keeper

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rotaqueue/rota/executor"
)

// guest is the user that an attempt runs as, in a slot. Whatever the attempt names is looked for and opened with that
// user's rights to files; what the keeper gives it lies in a folder of that user's.
type guest struct {
	uid, gid uint32
	groups   []uint32
	room     string   // the folder; its name is the slot's
	own      []string // of the environment
}

// guestHouse is where the rooms of a keeper's guests are. Nobody but root can change what is in it, and everybody pass
// through, which the keeper's own folder lets nobody.
func guestHouse(dir string) string {
	return filepath.Join("/var/tmp", houseName(dir))
}

// houseName is the name of folders of a keeper's outside its own.
func houseName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "rota-" + hex.EncodeToString(sum[:8])
}

// removeGuests removes the rooms of a keeper that is no more.
func removeGuests(dir string) error {
	if os.Geteuid() != 0 {
		return nil // it had none
	}
	return os.RemoveAll(guestHouse(dir))
}

func (s *slot) guestRoom() string {
	return filepath.Join(guestHouse(s.keeper.dir), strconv.Itoa(s.number))
}

// program is the guest's copy of the node's own program that it runs.
func (g *guest) program() string { return filepath.Join(g.room, "program") }

// place is where the files are that the keeper makes for an attempt.
func (s *slot) place(l *launch) string {
	if l.as != nil {
		return l.as.room
	}
	return s.dir
}

// guestOf is who an identity means in a slot.
func (s *slot) guestOf(id *executor.Identity) (*guest, *failure) {
	g := &guest{uid: id.UID, gid: id.GID, groups: id.Groups, room: s.guestRoom()}
	if id.Slots > 0 {
		if uint32(s.number) >= id.Slots {
			return nil, returned("could not be started: " + strconv.Itoa(int(id.Slots)) + " users are for the slots that run jobs of nobody's, and this is another slot")
		}
		g.uid, g.gid, g.groups = id.UID+uint32(s.number), id.UID+uint32(s.number), nil
	}
	if g.uid == 0 {
		return nil, refused(notExecutable, "user 0: root is nobody that the keeper could become")
	}
	scratch := filepath.Join(g.room, "scratch")
	g.own = []string{scratchMark + scratch, "ROTA_SLOT=" + strconv.Itoa(s.number)}
	if id.Slots > 0 {
		g.own = append(g.own, "HOME="+scratch)
	}
	return g, nil
}
