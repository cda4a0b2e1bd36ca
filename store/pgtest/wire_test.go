package pgtest

import (
	"encoding/binary"
	"reflect"
	"testing"
)

func message(kind byte, body string) string {
	n := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	return string(kind) + string(n) + body
}

func TestReplyIsSeenWholeHoweverItComes(t *testing.T) {
	hello := message('R', "\x00\x00\x00\x00") + message(parameter, "a\x00b\x00") + message(ready, "I")
	begin := message(complete, "BEGIN\x00") + message(ready, "T")
	insert := message('D', "a row") + message(complete, "INSERT 0 1\x00") + message(ready, "T")
	commit := message(complete, "COMMIT\x00") + message(ready, "I")
	said := hello + begin + insert + commit
	for size := 1; size <= len(said); size++ {
		var seen []Reply
		var pass string
		f := &follower{}
		for rest := said; rest != ""; {
			n := min(size, len(rest))
			b, _ := f.follow([]byte(rest[:n]), func(r Reply) bool { seen = append(seen, r); return r.Committed() })
			pass, rest = pass+string(b), rest[n:]
		}
		want := []Reply{{Tags: []string{"BEGIN"}, Open: true}, {Tags: []string{"INSERT 0 1"}, Open: true}, {Tags: []string{"COMMIT"}}}
		if !reflect.DeepEqual(seen, want) {
			t.Fatalf("in pieces of %d: replies %+v", size, seen)
		}
		if pass != hello+begin+insert {
			t.Fatalf("in pieces of %d: %q passed", size, pass)
		}
	}
}

func TestWhatWaitsForNoReplyPassesAtOnce(t *testing.T) {
	f := &follower{began: true}
	judge := func(Reply) bool { return false }
	news, row, in := message(notification, "news"), message('D', "a row"), message(copyIn, "")
	for _, step := range []struct{ said, pass string }{{row, ""}, {news, news}, {in, row + in}, {row, ""}} {
		if pass, _ := f.follow([]byte(step.said), judge); string(pass) != step.pass {
			t.Fatalf("after %q passed %q, not %q", step.said, pass, step.pass)
		}
	}
	if string(f.rest()) != row {
		t.Errorf("when the server hangs up %q is left", f.rest())
	}
}

func TestCommitted(t *testing.T) {
	for _, c := range []struct {
		reply Reply
		is    bool
	}{
		{Reply{Tags: []string{"COMMIT"}}, true},
		{Reply{Tags: []string{"UPDATE 3", "SELECT 1"}}, true},
		{Reply{Tags: []string{"UPDATE 3"}, Open: true}, false},
		{Reply{Tags: []string{"UPDATE 3"}, Failed: true}, false},
		{Reply{Tags: []string{"BEGIN", "UPDATE 3", "ROLLBACK"}}, false},
		{Reply{Tags: []string{"SELECT 1"}}, false},
	} {
		if c.reply.Committed() != c.is {
			t.Errorf("%+v: committed is not %t", c.reply, c.is)
		}
	}
}
