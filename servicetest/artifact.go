package servicetest

import (
	"errors"
	"io"
	"strings"
	"testing/iotest"

	"github.com/rotaqueue/rota"
)

var artifactTests = []contract{
	{"C3 what an attempt left is kept, listed and read", artifactKept},
	{"C3 an artifact comes from the node that runs the attempt only", artifactOfStrangers},
	{"C3 an artifact that is not what it says is refused", artifactWrong},
	{"C3 who sees the job sees its artifacts", artifactSeen},
	{"C3 artifacts go with their job, and their blobs stay until then", artifactNeeded},
	{"C3 patterns of artifacts stay below the folder", artifactPatterns},
}

// artifactOf is the artifact that a text is.
func artifactOf(try rota.Try, name, text string) rota.Artifact {
	b := blobNamed("", text)
	return rota.Artifact{Try: try, Name: name, Size: b.Size, Blob: b.ID}
}

func (m *machine) leaves(a rota.Assignment, name, text string) rota.Artifact {
	m.c.w.Helper()
	kept := artifactOf(a.Try, name, text)
	if err := m.c.KeepArtifact(m.c.ctx, kept, strings.NewReader(text)); err != nil {
		m.c.w.Fatalf("keep %s of %v: %v", name, a.Try, err)
	}
	return kept
}

func (c *client) artifacts(q rota.ArtifactQuery) []rota.Artifact {
	c.w.Helper()
	all, err := c.Artifacts(c.ctx, q)
	if err != nil {
		c.w.Fatalf("artifacts %+v: %v", q, err)
	}
	return all
}

// artifact is all of a file that an attempt left.
func (c *client) artifact(a rota.Artifact, step int) string {
	c.w.Helper()
	var text strings.Builder
	for {
		data, size, err := c.ReadArtifact(c.ctx, a.Try, a.Name, int64(text.Len()), step)
		if err != nil || size != a.Size {
			c.w.Fatalf("read %s at %d: size %d, %v", a.Name, text.Len(), size, err)
		}
		if len(data) == 0 {
			return text.String()
		}
		text.Write(data)
	}
}

func artifactKept(w *world) {
	id := w.kim.submit(run(func(s *rota.Spec) {
		s.Artifacts, s.Array = []string{"out/*.txt"}, &rota.Array{Ranges: []rota.Range{{First: 1, Last: 2}}}
	}))
	m := w.node("one")
	as := m.claim(2)
	equal(w, "patterns that the node is told", as[0].Spec.Artifacts, []string{"out/*.txt"})
	large := strings.Repeat("0123456789", 250_000)
	want := []rota.Artifact{m.leaves(as[0], "out/a b&ä.txt", large), m.leaves(as[0], "out/empty.txt", ""), m.leaves(as[1], "out/x.txt", "x")}
	m.leaves(as[0], "out/empty.txt", "") // again: the answer may have been lost
	m.leaves(as[0], "out/a b&ä.txt", large)
	m.ends(rota.OutcomeFailed, as[:1]...)
	m.ends(rota.OutcomeSucceeded, as[1:]...)
	equal(w, "artifacts", w.viewer.artifacts(rota.ArtifactQuery{Job: id}), want)
	equal(w, "of one task", w.viewer.artifacts(rota.ArtifactQuery{Job: id, Task: as[1].Task}), want[2:])
	equal(w, "a page", w.viewer.artifacts(rota.ArtifactQuery{Job: id, After: want[0].Try, Name: want[0].Name, Max: 1}), want[1:2])
	if got := w.viewer.artifact(want[0], 1<<19); got != large {
		w.Errorf("read %d bytes that are not those that were kept", len(got))
	}
	equal(w, "the empty one", w.viewer.artifact(want[1], 10), "")
	_, _, err := w.viewer.ReadArtifact(w.viewer.ctx, as[1].Try, "out/empty.txt", 0, 1)
	w.refused("another attempt's", err, rota.ErrNotFound)
	_, err = w.viewer.Artifacts(w.viewer.ctx, rota.ArtifactQuery{Job: id, Task: rota.PlainTask(id + 1)})
	w.refused("a task of another job", err, rota.ErrInvalid)
	_, err = w.viewer.Artifacts(w.viewer.ctx, rota.ArtifactQuery{Job: 4711})
	w.refused("a job that is not there", err, rota.ErrNotFound)
}

func artifactOfStrangers(w *world) {
	w.kim.submit(run())
	victim, thief := w.joined("victim"), w.joined("thief")
	a := victim.claimOne()
	x := artifactOf(a.Try, "x", "x")
	keep := func(c *client, a rota.Artifact) error { return c.KeepArtifact(c.ctx, a, strings.NewReader("x")) }
	w.refused("another node", keep(thief.c, x), rota.ErrDenied)
	w.refused("an operator", keep(w.operator, x), rota.ErrDenied)
	later := x
	later.Attempt++
	w.refused("another attempt", keep(victim.c, later), rota.ErrLeaseLost)
	victim.leaves(a, "x", "x")
	victim.ends(rota.OutcomeSucceeded, a)
	w.refused("what has ended", keep(victim.c, x), rota.ErrLeaseLost)
}

func artifactWrong(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	x := artifactOf(a.Try, "x", "what is said")
	for what, body := range map[string]io.Reader{
		"other bytes": strings.NewReader("what is sent"),
		"too few":     strings.NewReader("what"),
		"broken":      io.MultiReader(strings.NewReader("what"), iotest.ErrReader(errors.New("broken"))),
	} {
		if err := m.c.KeepArtifact(m.c.ctx, x, body); err == nil {
			w.Errorf("%s: taken", what)
		}
	}
	for _, name := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "a\nb", "a\x00b", "\xff", strings.Repeat("x", rota.MaxArtifactName+1)} {
		x.Name = name
		if err := m.c.KeepArtifact(m.c.ctx, x, strings.NewReader("what is said")); !errors.Is(err, rota.ErrInvalid) && !errors.Is(err, rota.ErrTooLarge) {
			w.Errorf("the name %q: %v", name, err)
		}
	}
	x = artifactOf(a.Try, "x", "")
	x.Blob = noBlob
	w.refused("nothing, with another sum", m.c.KeepArtifact(m.c.ctx, x, strings.NewReader("")), rota.ErrInvalid)
	equal(w, "artifacts", len(w.kim.artifacts(rota.ArtifactQuery{Job: id})), 0)
}

func artifactSeen(w *world) {
	limited, in, out := w.limited()
	m := w.node("one")
	kept := map[rota.JobID]rota.Artifact{}
	for _, a := range m.claim(2) { // whose submitter's the blob is
		kept[a.Task.Job()] = m.leaves(a, "x", "secret")
	}
	equal(w, "of a queue of its own", limited.artifact(kept[in], 10), "secret")
	equal(w, "artifacts of it", len(limited.artifacts(rota.ArtifactQuery{Job: in})), 1)
	_, _, err := limited.ReadArtifact(limited.ctx, kept[out].Try, "x", 0, 1)
	w.refused("of another queue", err, rota.ErrDenied)
	_, err = limited.Artifacts(limited.ctx, rota.ArtifactQuery{Job: out})
	w.refused("artifacts of another queue", err, rota.ErrDenied)
}

func artifactNeeded(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	kept := m.leaves(a, "x", "bytes")
	m.ends(rota.OutcomeSucceeded, a)
	w.refused("drop what an artifact is", w.admin.DropBlob(w.admin.ctx, kept.Blob), rota.ErrConflict)
	if _, err := w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActRemove, Filter: jobs(id)}); err != nil {
		w.Fatal(err)
	}
	w.eventually("it is gone with its job", func() bool {
		_, err := w.kim.Artifacts(w.kim.ctx, rota.ArtifactQuery{Job: id})
		return errors.Is(err, rota.ErrNotFound)
	})
	w.eventually("its blob is nobody's", func() bool { return w.uses(kept.Blob) == 0 })
}

func artifactPatterns(w *world) {
	for _, p := range []string{"", "/etc/*", "../*", "out/../../x", "out//x", "./x", "[", "a**/x", "@x", "@stdout/x", strings.Repeat("x", rota.MaxArtifactName+1)} {
		_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Spec: run(func(s *rota.Spec) { s.Artifacts = []string{p} })})
		if !errors.Is(err, rota.ErrInvalid) && !errors.Is(err, rota.ErrTooLarge) {
			w.Errorf("the pattern %q: %v", p, err)
		}
	}
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Spec: run(func(s *rota.Spec) { s.Artifacts = make([]string, rota.MaxArtifactPatterns+1) })})
	w.refused("too many patterns", err, rota.ErrTooLarge)
	w.kim.submit(run(func(s *rota.Spec) {
		s.Artifacts = []string{"*.txt", "out/[a-z]?.bin", "**/core", "out/**", "@stdout", "@stderr", "[@]x"}
	}))
}
