package servicetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing/iotest"

	"github.com/rotaqueue/rota"
)

var blobTests = []contract{
	{"what is put is there, by what it is", blobPut},
	{"bytes that are not those of the id are refused, and not kept", blobWrong},
	{"what is too long, or empty, is refused", blobSizes},
	{"C3 a job runs a blob, which its node reads", blobRun},
	{"C3 a program within a submission is kept as a blob", programWithin},
	{"C2 what cannot be run is refused", notRunnable},
	{"a job that names a blob that is not there is refused", blobMissing},
	{"a blob that is needed stays", blobNeeded},
	{"C3 a schedule's other blob must be there, and counts", blobOfEdit},
	{"C3 a job's blob stays what it was", blobOfJob},
	{"whose a blob is not, may not drop it", blobOfAnother},
	{"a node reads what it runs, and nothing else", programOfAnother},
}

const noBlob = rota.BlobID("00000000000000000000000000000000000000000000000000000000000000aa")

// blobNamed is the blob that a text is.
func blobNamed(name, text string) rota.Blob {
	sum := sha256.Sum256([]byte(text))
	return rota.Blob{ID: rota.BlobID(hex.EncodeToString(sum[:])), Size: int64(len(text)), Name: name}
}

func (c *client) putBlob(name, text string) rota.Blob {
	c.w.Helper()
	b, err := c.PutBlob(c.ctx, blobNamed(name, text), strings.NewReader(text))
	if err != nil {
		c.w.Fatalf("put blob %s: %v", name, err)
	}
	return b
}

func blobPut(w *world) {
	text := strings.Repeat("0123456789", 250_000)
	b := w.kim.putBlob("ten", text)
	if b.ID != blobNamed("", text).ID || b.Size != int64(len(text)) || b.Name != "ten" || b.Creator != "kim" || b.Created.IsZero() || b.URL == "" || b.Kept {
		w.Errorf("put as %+v", b)
	}
	again := w.lee.putBlob("other", text)
	if again.ID != b.ID || again.Creator != "kim" || again.Name != "ten" {
		w.Errorf("put again as %+v", again)
	}
	var got bytes.Buffer
	for {
		data, size, err := w.viewer.ReadBlob(w.viewer.ctx, b.ID, int64(got.Len()), 1<<20)
		if err != nil || size != b.Size {
			w.Fatalf("read at %d: size %d, %v", got.Len(), size, err)
		}
		if len(data) == 0 {
			break
		}
		got.Write(data)
	}
	if got.String() != text {
		w.Errorf("read %d bytes that are not those that were put", got.Len())
	}
	kept := blobNamed("kept", "b")
	kept.Kept = true
	if b, err := w.kim.PutBlob(w.kim.ctx, kept, strings.NewReader("b")); err != nil || !b.Kept {
		w.Errorf("one that is to be kept: %+v, %v", b, err)
	}
	all, err := w.viewer.Blobs(w.viewer.ctx, rota.BlobQuery{})
	if err != nil || len(all) != 2 {
		w.Errorf("blobs: %+v, %v", all, err)
	}
	some, err := w.viewer.Blobs(w.viewer.ctx, rota.BlobQuery{Prefix: string(b.ID)[:9]})
	if err != nil || len(some) != 1 || some[0].ID != b.ID {
		w.Errorf("by prefix: %+v, %v", some, err)
	}
	if err := w.operator.DropBlob(w.operator.ctx, b.ID); err != nil {
		w.Errorf("drop: %v", err)
	}
	_, err = w.kim.Blob(w.kim.ctx, b.ID)
	w.refused("a dropped blob", err, rota.ErrNotFound)
	w.eventually("it can be put again", func() bool {
		_, err := w.kim.PutBlob(w.kim.ctx, blobNamed("ten", text), strings.NewReader(text))
		if err != nil && !errors.Is(err, rota.ErrUnavailable) {
			w.Fatal(err)
		}
		return err == nil
	})
}

func blobWrong(w *world) {
	b := blobNamed("x", "what is said")
	for what, body := range map[string]io.Reader{
		"other bytes": strings.NewReader("what is sent"),
		"too few":     strings.NewReader("what"),
		"broken":      io.MultiReader(strings.NewReader("what"), iotest.ErrReader(errors.New("broken"))),
	} {
		if _, err := w.kim.PutBlob(w.kim.ctx, b, body); err == nil {
			w.Errorf("%s: taken", what)
		}
		_, err := w.kim.Blob(w.kim.ctx, b.ID)
		w.refused(what+": is it there", err, rota.ErrNotFound)
	}
	w.kim.putBlob("x", "what is said")
	for _, id := range []rota.BlobID{"", "x", "../../etc/passwd", noBlob[1:], noBlob + "0", "AA" + noBlob[2:]} {
		_, err := w.kim.PutBlob(w.kim.ctx, rota.Blob{ID: id, Size: 1}, strings.NewReader("x"))
		w.refused("the id "+string(id), err, rota.ErrInvalid)
		_, err = w.kim.Blob(w.kim.ctx, id)
		w.refused("looking at the id "+string(id), err, rota.ErrInvalid)
	}
}

func blobSizes(w *world) {
	b := blobNamed("x", "x")
	for size, kind := range map[int64]error{0: rota.ErrInvalid, -1: rota.ErrInvalid, rota.MaxBlob + 1: rota.ErrTooLarge} {
		b.Size = size
		_, err := w.kim.PutBlob(w.kim.ctx, b, strings.NewReader("x"))
		w.refused("a blob of that size", err, kind)
	}
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Program: append([]byte("#!/bin/sh\n"), make([]byte, rota.MaxProgram)...)})
	w.refused("a program that is too long", err, rota.ErrTooLarge)
}

func blobRun(w *world) {
	b := w.kim.putBlob("s", "#!/bin/sh\necho hello\n")
	job := w.kim.submit(rota.Spec{Blob: b.ID, Argv: []string{"a"}})
	m := w.node("n1")
	a := m.claimOne()
	if a.Spec.Executor != rota.ExecutorBlob || a.Spec.Blob != b.ID || len(a.Spec.Argv) != 1 {
		w.Errorf("assigned %+v", a.Spec)
	}
	data, size, err := m.c.Program(m.c.ctx, job, 0, 1<<20)
	if err != nil || size != b.Size || string(data) != "#!/bin/sh\necho hello\n" {
		w.Errorf("program: %q of %d, %v", data, size, err)
	}
	plain := w.kim.submit(run())
	_, _, err = m.c.Program(m.c.ctx, plain, 0, 1<<20)
	w.refused("the program of a job without one", err, rota.ErrNotFound)
	if b, err := w.kim.Blob(w.kim.ctx, b.ID); err != nil || b.Uses != 1 {
		w.Errorf("it is %+v, %v", b, err)
	}
}

func programWithin(w *world) {
	text := "#!/bin/sh\nexit 3\n"
	sub := rota.Submission{Program: []byte(text), Key: "k"}
	first := w.kim.send(sub)
	if job := w.kim.job(first.Job); job.Spec.Blob != blobNamed("", text).ID || job.Spec.Executor != rota.ExecutorBlob {
		w.Errorf("submitted as %+v", job.Spec)
	}
	if again := w.kim.send(sub); again.Job != first.Job || !again.Existing {
		w.Errorf("the same key: %+v, want job %v", again, first.Job)
	}
	sub.Program = []byte("#!/bin/sh\nexit 4\n")
	_, err := w.kim.Submit(w.kim.ctx, sub)
	w.refused("the same key with another program", err, rota.ErrKeyReused)
}

func notRunnable(w *world) {
	for what, text := range map[string]string{"a text": "echo hello\n", "a picture": "\x89PNG\r\n\x1a\n", "an archive": "PK\x03\x04"} {
		_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Program: []byte(text)})
		w.refused(what, err, rota.ErrInvalid)
		b := w.kim.putBlob("x", text)
		_, err = w.kim.Submit(w.kim.ctx, rota.Submission{Spec: rota.Spec{Blob: b.ID}})
		w.refused(what+" as a blob", err, rota.ErrInvalid)
		_, err = w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: rota.Spec{Blob: b.ID}})
		w.refused(what+" of a schedule", err, rota.ErrInvalid)
	}
	for _, head := range []string{"\x7fELF\x02\x01", "#!/usr/bin/env python3\n"} {
		w.kim.send(rota.Submission{Program: []byte(head)})
	}
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Program: []byte("#!/bin/sh"), Spec: run()})
	w.refused("a program and a command's blob", func() error {
		if err == nil {
			_, err = w.kim.Submit(w.kim.ctx, rota.Submission{Program: []byte("#!/bin/sh"), Spec: rota.Spec{Shell: "true"}})
		}
		return err
	}(), rota.ErrInvalid)
}

func blobMissing(w *world) {
	_, err := w.kim.Submit(w.kim.ctx, rota.Submission{Spec: rota.Spec{Blob: noBlob}})
	w.refused("a job", err, rota.ErrNotFound)
	_, err = w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: rota.Spec{Blob: noBlob}})
	w.refused("a schedule", err, rota.ErrNotFound)
	_, err = w.kim.Submit(w.kim.ctx, rota.Submission{Spec: rota.Spec{Blob: "x"}})
	w.refused("no id", err, rota.ErrInvalid)
	_, err = w.kim.Submit(w.kim.ctx, rota.Submission{Spec: rota.Spec{Blob: noBlob, Shell: "true"}})
	w.refused("two things to run", err, rota.ErrInvalid)
}

func blobNeeded(w *world) {
	b := w.kim.putBlob("s", "#!/bin/sh\n")
	w.kim.submit(rota.Spec{Blob: b.ID})
	w.refused("drop what a job needs", w.admin.DropBlob(w.admin.ctx, b.ID), rota.ErrConflict)
	m := w.node("n1")
	m.runs(rota.OutcomeSucceeded, 1)
	other := w.kim.putBlob("o", "#!/bin/sh\n# other\n")
	put, err := w.kim.PutSchedule(w.kim.ctx, rota.Schedule{Name: "s", Expr: "@daily", Spec: rota.Spec{Blob: other.ID}})
	if err != nil {
		w.Fatal(err)
	}
	w.refused("drop what a schedule needs", w.admin.DropBlob(w.admin.ctx, other.ID), rota.ErrConflict)
	put.Spec = rota.Spec{Blob: b.ID}
	if _, err := w.kim.PutSchedule(w.kim.ctx, put); err != nil {
		w.Fatal(err)
	}
	if err := w.admin.DropBlob(w.admin.ctx, other.ID); err != nil {
		w.Errorf("drop what it needs no more: %v", err)
	}
	w.refused("drop what it needs now", w.admin.DropBlob(w.admin.ctx, b.ID), rota.ErrConflict)
	if err := w.kim.DropSchedule(w.kim.ctx, "s"); err != nil {
		w.Fatal(err)
	}
	if err := w.admin.DropBlob(w.admin.ctx, b.ID); err != nil {
		w.Errorf("drop what nobody needs: %v", err)
	}
}

// uses is how many jobs and schedules need a blob.
func (w *world) uses(id rota.BlobID) int {
	w.Helper()
	b, err := w.admin.Blob(w.admin.ctx, id)
	if err != nil {
		w.Fatal(err)
	}
	return b.Uses
}

func blobOfEdit(w *world) {
	one, two := w.kim.putBlob("one", "#!/bin/sh\n"), w.kim.putBlob("two", "#!/bin/sh\n# two\n")
	text := w.kim.putBlob("text", "echo hello\n")
	s := w.kim.put(rota.Schedule{Name: "s", Expr: "@daily", Spec: rota.Spec{Blob: one.ID}})
	for what, id := range map[string]rota.BlobID{"one that is not there": noBlob, "one that cannot be run": text.ID} {
		to := s
		to.Spec = rota.Spec{Blob: id}
		if _, err := w.kim.PutSchedule(w.kim.ctx, to); err == nil {
			w.Errorf("%s is taken", what)
		}
		if got := w.kim.schedule("s"); got.Spec.Blob != one.ID || got.Version != s.Version {
			w.Errorf("after %s was refused: %+v", what, got)
		}
	}
	equal(w, "uses of the first", w.uses(one.ID), 1)
	s.Spec = rota.Spec{Blob: two.ID}
	s = w.kim.put(s)
	equal(w, "uses of the first, when the second is in its place", w.uses(one.ID), 0)
	equal(w, "uses of the second", w.uses(two.ID), 1)
	w.refused("drop the second", w.admin.DropBlob(w.admin.ctx, two.ID), rota.ErrConflict)
	s.Spec = run()
	w.kim.put(s)
	equal(w, "uses of the second, when it runs a command", w.uses(two.ID), 0)
}

func blobOfJob(w *world) {
	one, two := w.kim.putBlob("one", "#!/bin/sh\n"), w.kim.putBlob("two", "#!/bin/sh\n# two\n")
	id, plain := w.kim.submit(rota.Spec{Blob: one.ID, Hold: true}), w.kim.submit(run(held))
	edit := func(id rota.JobID, spec rota.Spec) (rota.Operation, error) {
		return w.kim.Operate(w.kim.ctx, rota.Operation{Act: rota.ActEdit, Filter: jobs(id), Edit: &rota.Edit{Spec: &spec}})
	}
	for what, to := range map[string]struct {
		job  rota.JobID
		blob rota.BlobID
	}{"another": {id, two.ID}, "one that is not there": {id, noBlob}, "one for a command": {plain, two.ID}} {
		if op, err := edit(to.job, rota.Spec{Blob: to.blob, Hold: true}); err == nil && (op.Refused != 1 || op.Done != 0 || op.Why == "") {
			w.Errorf("%s: %+v", what, op)
		}
	}
	equal(w, "the job's blob", w.kim.job(id).Spec.Blob, one.ID)
	equal(w, "the other job's blob", w.kim.job(plain).Spec.Blob, "")
	spec := w.kim.job(id).Spec
	spec.Name = "renamed"
	if op, err := edit(id, spec); err != nil || op.Done != 1 {
		w.Fatalf("another name: %+v, %v", op, err)
	}
	equal(w, "uses of the job's blob", w.uses(one.ID), 1)
	equal(w, "uses of the other", w.uses(two.ID), 0)
}

func blobOfAnother(w *world) {
	b := w.kim.putBlob("s", "text")
	w.refused("drop another's", w.lee.DropBlob(w.lee.ctx, b.ID), rota.ErrDenied)
	if err := w.kim.DropBlob(w.kim.ctx, b.ID); err != nil {
		w.Errorf("drop one's own: %v", err)
	}
}

func programOfAnother(w *world) {
	b := w.kim.putBlob("s", "#!/bin/sh\n")
	job := w.kim.submit(rota.Spec{Blob: b.ID})
	w.node("n1").claimOne()
	other := w.as(rota.Principal{Name: "other", Role: rota.RoleNode, Node: "n2"})
	_, _, err := other.Program(other.ctx, job, 0, 10)
	w.refused("the program of what another node runs", err, rota.ErrDenied)
	_, _, err = other.ReadBlob(other.ctx, b.ID, 0, 10)
	w.refused("a blob by its id", err, rota.ErrDenied)
}
