package pgtest

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Reply is what a server has answered to a query: all up to its being ready for the next.
type Reply struct {
	N      int      // its number, from 1, among those that the judge was shown
	Tags   []string // what the server says that it did: "BEGIN", "INSERT 0 1", "COMMIT"
	Failed bool     // it says that something did not work
	Open   bool     // a transaction stays open
}

// Committed reports whether the reply tells of a commit: of a transaction's, or of a change outside of any. A function
// that changes something outside of a transaction is not recognized.
func (r Reply) Committed() bool {
	if slices.Contains(r.Tags, "COMMIT") {
		return true
	}
	if r.Open || r.Failed || slices.Contains(r.Tags, "ROLLBACK") {
		return false
	}
	return slices.ContainsFunc(r.Tags, func(tag string) bool {
		verb, _, _ := strings.Cut(tag, " ")
		return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "MERGE"}, verb)
	})
}

// Messages of a server, by their first byte.
const (
	complete     = 'C'
	failed       = 'E'
	ready        = 'Z'
	notification = 'A'
	notice       = 'N'
	parameter    = 'S'
	copyIn       = 'G'
)

// follower follows what a server says on one connection, and can hold a reply back until it is whole.
type follower struct {
	began   bool   // the server was ready once: what came before is no reply
	partial []byte // of a message
	held    []byte // of a reply
	reply   Reply
}

// follow takes what the server says and returns what passes on. With a judge no reply passes before it is whole and
// the judge lets it; without one all messages pass as they come.
func (f *follower) follow(said []byte, judge func(Reply) bool) (pass []byte, lost bool) {
	f.partial = append(f.partial, said...)
	for {
		m := f.message()
		if m == nil {
			return pass, false
		}
		switch kind := m[0]; {
		case !f.began, judge == nil && len(f.held) == 0, kind == notification, kind == notice, kind == parameter:
			pass = append(pass, m...)
		case kind == copyIn: // the client has to go on for the server to
			pass, f.held = append(append(pass, f.held...), m...), nil
		default:
			f.held = append(f.held, m...)
		}
		f.note(m)
		if m[0] != ready {
			continue
		}
		if f.began && judge != nil && judge(f.reply) {
			return pass, true
		}
		pass, f.held, f.reply, f.began = append(pass, f.held...), nil, Reply{}, true
	}
}

// message takes one whole message off what has come: its kind, its length, and that much.
func (f *follower) message() []byte {
	if len(f.partial) < 5 {
		return nil
	}
	n := 1 + int(binary.BigEndian.Uint32(f.partial[1:]))
	if len(f.partial) < n {
		return nil
	}
	m := f.partial[:n:n]
	f.partial = f.partial[n:]
	return m
}

func (f *follower) note(m []byte) {
	switch m[0] {
	case complete:
		f.reply.Tags = append(f.reply.Tags, strings.TrimRight(string(m[5:]), "\x00"))
	case failed:
		f.reply.Failed = true
	case ready:
		f.reply.Open = len(m) > 5 && m[5] != 'I'
	}
}

// rest is what passes when the server hangs up in the middle of a reply.
func (f *follower) rest() []byte { return slices.Concat(f.held, f.partial) }
