package crash_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// checkI8: the output kept of an attempt is what it wrote, or its beginning and its end with the count of what is not
// there.
func (v *verdict) checkI8(f *fact) {
	for _, a := range f.tries {
		if a.Outcome != rota.OutcomeSucceeded && a.Outcome != rota.OutcomeFailed {
			continue
		}
		end, ended := f.of(a.Number, crash.End)
		if !ended {
			continue // I3 says so
		}
		if strings.Contains(a.Reason, "output") {
			v.fail("I8", "%s: attempt %d: %s", f, a.Number, a.Reason)
		}
		try := rota.Try{Task: f.ID, Attempt: a.Number}
		v.checkStream(f, try, rota.Stdout, f.out, end.Out)
		v.checkStream(f, try, rota.Stderr, f.err, end.Err)
	}
}

func (v *verdict) checkStream(f *fact, try rota.Try, stream rota.Stream, most int, wrote crash.Sum) {
	kept, pieces, size := v.kept(try, stream)
	switch {
	case size != int64(wrote.Size):
		v.fail("I8", "%s: %s of attempt %d has %d bytes, and %d were written", f, stream, try.Attempt, size, wrote.Size)
	case wrote.Size <= rota.OutputCap:
		if crash.SumOf(kept) != wrote {
			v.fail("I8", "%s: %s of attempt %d is %v, and %v was written", f, stream, try.Attempt, crash.SumOf(kept), wrote)
		}
	default:
		text, half := crash.Text(try, stream, most), rota.OutputCap/2
		ends := append(slices.Clone(text[:half]), text[len(text)-half:]...)
		if crash.SumOf(text) != wrote || pieces != 2 || !slices.Equal(kept, ends) {
			v.fail("I8", "%s: %s of attempt %d is kept in %d pieces with %d of %d bytes, which are not its beginning and end", f, stream,
				try.Attempt, pieces, len(kept), size)
		}
	}
}

// checkC3: the file that an attempt left is kept, once, as it was; of one that was lost, if at all.
func (v *verdict) checkC3(f *fact) {
	if len(f.sub.Spec.Artifacts) == 0 {
		return
	}
	all, err := v.store.Artifacts(v.ctx, rota.ArtifactQuery{Job: f.ID.Job(), Task: f.ID, Max: 1000})
	if err != nil {
		v.Fatal(err)
	}
	for _, a := range f.tries {
		end, ended := f.of(a.Number, crash.End)
		var own []rota.Artifact
		for _, x := range all {
			if x.Attempt == a.Number {
				own = append(own, x)
			}
		}
		if len(own) == 0 && a.Outcome != rota.OutcomeSucceeded && a.Outcome != rota.OutcomeFailed {
			continue
		}
		if !ended || len(own) != 1 || own[0].Name != "left" || own[0].Size != int64(end.Out.Size) || !strings.HasPrefix(string(own[0].Blob), end.Out.Hash) {
			v.fail("C3", "%s: attempt %d (%s, %s) left %v, and %+v are kept", f, a.Number, a.Outcome, a.Reason, end.Out, own)
		} else if own[0].Size > 0 && v.place == "" {
			v.checkBlob(f, own[0].Blob)
		}
	}
}

// checkBlob: the bytes are there.
func (v *verdict) checkBlob(f *fact, id rota.BlobID) {
	at, err := filepath.Glob(v.file("rota/blobs/*/" + string(id)))
	if err != nil || len(at) != 1 {
		v.fail("C3", "%s: the bytes of blob %s are at %q", f, id, at)
		return
	}
	text, err := os.ReadFile(at[0])
	if sum := sha256.Sum256(text); err != nil || hex.EncodeToString(sum[:]) != string(id) {
		v.fail("C3", "%s: blob %s has %d other bytes, %v", f, id, len(text), err)
	}
}

// kept is what the store has of a stream, in how many pieces, and how long it says that the whole is.
func (v *verdict) kept(try rota.Try, stream rota.Stream) (text []byte, pieces int, size int64) {
	v.Helper()
	for offset := int64(0); ; {
		o, err := v.store.Output(v.ctx, rota.OutputQuery{Task: try.Task, Attempt: try.Attempt, Stream: stream, Offset: offset, Max: 1 << 20})
		if errors.Is(err, rota.ErrNotFound) {
			return nil, 0, 0
		}
		if err != nil {
			v.Fatal(err)
		}
		if len(o.Data) == 0 {
			return text, pieces, o.Size
		}
		if pieces == 0 || o.Offset != offset {
			pieces++
		}
		text, offset = append(text, o.Data...), o.Offset+int64(len(o.Data))
	}
}

// checkP15: a job that waits for another begins after everything of that one has ended.
func (v *verdict) checkP15(f *fact) {
	first, began := f.of(1, crash.Begin)
	if f.after == nil || !began {
		return
	}
	for _, other := range v.facts {
		if other.ID.Job() != f.after.id {
			continue
		}
		for _, rs := range other.records {
			for _, r := range rs {
				if r.At > first.At {
					v.fail("P15", "%s began at %d, and what it waits for was still at work: %+v", f, first.At, r)
				}
			}
		}
	}
}

// checkP16: no more tasks of a limited job ran at once than its limit.
func (v *verdict) checkP16() {
	type edge struct {
		at rota.Elapsed
		by int
	}
	edges := map[*job][]edge{}
	for _, f := range v.facts {
		if f.sub.Spec.Limit == 0 {
			continue
		}
		for number := range f.records {
			begin, began := f.of(number, crash.Begin)
			end, ended := f.of(number, crash.End)
			until := end.At
			if !ended {
				until = v.killedAt(begin.Of)
			}
			if began && until > begin.At {
				edges[f.job] = append(edges[f.job], edge{begin.At, 1}, edge{until, -1})
			}
		}
	}
	for j, es := range edges {
		slices.SortFunc(es, func(a, b edge) int { return int(a.at - b.at) })
		running := 0
		for _, e := range es {
			if running += e.by; running > j.sub.Spec.Limit {
				v.fail("P16", "job %v (%s): %d tasks ran at once, and %d may", j.id, j.sub.Key, running, j.sub.Spec.Limit)
				break
			}
		}
	}
}

func (v *verdict) killedAt(node int) rota.Elapsed {
	for _, l := range v.lives {
		if l.cmd.Process.Pid == node {
			return l.killed
		}
	}
	return 0
}

// checkI12: what lies in the node's folder does not grow with what it has gone through. What
// stays are the full texts of outputs that the store keeps only in part, or not at all since the attempt was lost; and
// those of the few attempts whose node and keeper died together right after their end: nobody is left who knows that the store
// has them, and they stay until they are too old, or too much.
func (v *verdict) checkI12() {
	work := v.file("rota/work")
	files := map[string]int{}
	err := filepath.WalkDir(work, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(work, path)
			files[strings.Split(rel, string(filepath.Separator))[0]]++
		}
		return err
	})
	if err != nil {
		v.Error(err)
	}
	if files["input"] > 0 || files["slots"] > 10*slots {
		v.fail("I12", "files are left in %s: %v", work, files)
	}
	orphaned := 0
	left, err := os.ReadDir(filepath.Join(work, "output"))
	if err != nil {
		v.Error(err)
	}
	for _, d := range left {
		task, rest, _ := strings.Cut(d.Name(), ".")
		attempt, _, _ := strings.Cut(rest, ".")
		id, _ := strconv.ParseInt(task, 10, 64)
		number, _ := strconv.Atoi(attempt)
		f := v.facts[rota.TaskID(id)]
		info, err := d.Info()
		switch {
		case err != nil || f == nil || number < 1 || number > len(f.tries):
			v.fail("I12", "%s/output has %s: %v", work, d.Name(), err)
		case info.Size() <= rota.OutputCap && f.tries[number-1].Outcome != rota.OutcomeLost:
			if orphaned++; orphaned > 2*slots*v.keeperKills {
				v.fail("I12", "%s/output has %s, of which the store has all %d bytes: %s, %+v", work, d.Name(), info.Size(), f, f.tries[number-1])
			}
		}
	}
	for name, limit := range map[string]int64{"work/journal": 2 << 20, "rota.db-wal": 64 << 20, "rota.db": 256 << 20} {
		if info, err := os.Stat(v.file("rota/" + name)); err == nil && info.Size() > limit {
			v.fail("I12", "%s has %d bytes", name, info.Size())
		}
	}
	v.Logf("left in %s: %v, %d of them with nothing that the store has not", work, files, orphaned)
}
