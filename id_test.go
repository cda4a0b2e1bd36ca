package rota_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func anyTaskID() *rapid.Generator[rota.TaskID] {
	return rapid.Custom(func(t *rapid.T) rota.TaskID {
		job := rota.JobID(rapid.Int64Range(1, int64(rota.MaxJobID)).Draw(t, "job"))
		if rapid.Bool().Draw(t, "plain") {
			return rota.PlainTask(job)
		}
		return rota.Element(job, rapid.IntRange(0, rota.MaxIndex).Draw(t, "index"))
	})
}

func TestTaskIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyTaskID().Draw(t, "id")
		parsed, err := rota.ParseTaskID(id.String())
		if err != nil || parsed != id {
			t.Fatalf("ParseTaskID(%q) = %d, %v; want %d", id.String(), parsed, err, id)
		}
		text, err := json.Marshal(map[rota.TaskID]rota.TaskID{id: id})
		if err != nil {
			t.Fatal(err)
		}
		var back map[rota.TaskID]rota.TaskID
		if err := json.Unmarshal(text, &back); err != nil || back[id] != id {
			t.Fatalf("%s read back as %v, %v", text, back, err)
		}
		if id <= 0 {
			t.Fatalf("%v has id %d: ids are positive", id, id)
		}
	})
}

func TestTaskIDParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := rota.JobID(rapid.Int64Range(1, int64(rota.MaxJobID)).Draw(t, "job"))
		index := rapid.IntRange(0, rota.MaxIndex).Draw(t, "index")
		plain, element := rota.PlainTask(job), rota.Element(job, index)
		if plain.Job() != job || plain.IsElement() || plain.Index() != 0 {
			t.Fatalf("plain task %v: job %v, element %v, index %d", plain, plain.Job(), plain.IsElement(), plain.Index())
		}
		if element.Job() != job || !element.IsElement() || element.Index() != index {
			t.Fatalf("element %v of job %v: job %v, element %v, index %d", element, job, element.Job(), element.IsElement(), element.Index())
		}
		first, last := job.Tasks()
		if plain < first || element < first || plain > last || element > last {
			t.Fatalf("tasks %v and %v are outside %d to %d", plain, element, first, last)
		}
		if job < rota.MaxJobID {
			if next, _ := (job + 1).Tasks(); next != last+1 {
				t.Fatalf("tasks of job %d end at %d and those of the next begin at %d", job, last, next)
			}
		}
	})
}

func TestTaskIDOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyTaskID().Draw(t, "a"), anyTaskID().Draw(t, "b")
		byParts := a.Job() < b.Job() || a.Job() == b.Job() && (!a.IsElement() && b.IsElement() || a.Index() < b.Index())
		if (a < b) != byParts {
			t.Fatalf("%v < %v is %v as a number and %v by job and index", a, b, a < b, byParts)
		}
	})
}

func TestParseTaskIDTable(t *testing.T) {
	for _, c := range []struct {
		text string
		want rota.TaskID
	}{
		{"1", rota.PlainTask(1)},
		{"42", rota.PlainTask(42)},
		{"42.0", rota.Element(42, 0)},
		{"42.17", rota.Element(42, 17)},
		{"1.16777214", rota.Element(1, rota.MaxIndex)},
		{rota.MaxJobID.String(), rota.PlainTask(rota.MaxJobID)},
		{rota.MaxJobID.String() + ".16777214", math.MaxInt64},
	} {
		if got, err := rota.ParseTaskID(c.text); err != nil || got != c.want {
			t.Errorf("ParseTaskID(%q) = %d, %v; want %d", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "0", "-1", "+1", " 1", "1 ", "x", "1.", ".1", "1.-1", "1.+1", "1.x", "1.2.3", "1,2", "1.16777215",
		"549755813888", "9223372036854775808", "1e3", "1_0", "٣"} {
		got, err := rota.ParseTaskID(text)
		if !errors.Is(err, rota.ErrInvalid) || got != 0 {
			t.Errorf("ParseTaskID(%q) = %d, %v; want ErrInvalid", text, got, err)
		}
	}
}

func TestNoTaskIsNoText(t *testing.T) {
	var none rota.TaskID
	text, err := none.MarshalText()
	if err != nil || len(text) != 0 {
		t.Fatalf("no task is written as %q, %v", text, err)
	}
	id := rota.TaskID(7)
	if err := id.UnmarshalText(nil); err != nil || id != 0 {
		t.Fatalf("no text is read as %v, %v", id, err)
	}
	id = 7
	if err := id.UnmarshalText([]byte("x")); !errors.Is(err, rota.ErrInvalid) || id != 7 {
		t.Fatalf("a wrong text: %v, and the id is %d", err, id)
	}
}

func FuzzParseTaskID(f *testing.F) {
	for _, s := range []string{"1", "42.17", "0", "1.16777215", "549755813887.16777214", "007.00", "-1", "1.", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := rota.ParseTaskID(s)
		if err != nil {
			if !errors.Is(err, rota.ErrInvalid) || id != 0 {
				t.Fatalf("ParseTaskID(%q) = %d, %v", s, id, err)
			}
			return
		}
		if id < 1 || id.Job() < 1 || id.Job() > rota.MaxJobID || id.Index() < 0 || id.Index() > rota.MaxIndex {
			t.Fatalf("ParseTaskID(%q) = %d: job %d, index %d", s, id, id.Job(), id.Index())
		}
		again, err := rota.ParseTaskID(id.String())
		if err != nil || again != id {
			t.Fatalf("ParseTaskID(%q) = %d, and of its text %q = %d, %v", s, id, id.String(), again, err)
		}
	})
}
