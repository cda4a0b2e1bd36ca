package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/rotaqueue/rota"
)

// PutBlob keeps a file. What is noted before its bytes come is not seen until all of them are there and are those that
// its id says.
func (s *Server) PutBlob(ctx context.Context, b rota.Blob, body io.Reader) (rota.Blob, error) {
	p, err := s.allow(ctx, "put blob")
	if err == nil {
		err = b.Check()
	}
	if err == nil {
		err = s.hasObjects()
	}
	if err != nil {
		return rota.Blob{}, err
	}
	b.Creator = p.Name
	return s.putBlob(ctx, puts(ctx, p, b), b, body)
}

// puts makes the write that ends a put one that is added to the audit.
func puts(ctx context.Context, p rota.Principal, b rota.Blob) context.Context {
	return by(ctx, p, "put blob", "blob "+string(b.ID), b.Name)
}

// putBlob keeps a file; told is the context of the write after which it is there.
func (s *Server) putBlob(ctx, told context.Context, b rota.Blob, body io.Reader) (rota.Blob, error) {
	there, err := s.store.BeginBlob(ctx, b)
	if err != nil {
		return rota.Blob{}, s.outward(err)
	}
	if there { // unless somebody has removed the bytes behind our back: then it is mended
		_, err := s.opts.Objects.Get(ctx, string(b.ID), 0, 1)
		there = !errors.Is(err, rota.ErrNotFound)
	}
	if !there {
		if err := s.opts.Objects.Put(ctx, string(b.ID), b.Size, &verified{Reader: body, id: b.ID, left: b.Size, sum: sha256.New()}); err != nil {
			return rota.Blob{}, s.outward(err)
		}
	}
	if !there || b.Kept {
		if err := s.store.EndBlob(told, b.ID); err != nil {
			return rota.Blob{}, s.outward(err)
		}
	}
	got, err := s.store.Blob(ctx, b.ID)
	return s.placed(got), s.outward(err)
}

// hasObjects refuses where nothing is set up to keep bytes.
func (s *Server) hasObjects() error {
	if s.opts.Objects == nil {
		return rota.Errorf(rota.ErrUnsupported, "blobs: this server has no place for them")
	}
	return nil
}

// verified is a body whose last bytes are given out only when all of them are those that the id says: whoever keeps
// them has them whole and right, or not whole.
type verified struct {
	io.Reader
	id   rota.BlobID
	left int64
	sum  hash.Hash
}

func (v *verified) Read(b []byte) (int, error) {
	if v.left == 0 {
		return 0, io.EOF
	}
	n, err := v.Reader.Read(b[:min(int64(len(b)), v.left)])
	v.sum.Write(b[:n])
	if v.left -= int64(n); v.left > 0 {
		if errors.Is(err, io.EOF) {
			err = rota.Invalid("blob %.12s…: %d bytes of it are missing", v.id, v.left)
		}
		return n, err
	}
	if is := hex.EncodeToString(v.sum.Sum(nil)); is != string(v.id) {
		return 0, rota.Invalid("blob %.12s…: what came has the SHA-256 %s", v.id, is)
	}
	return n, nil
}

// placed says where a blob's bytes are: where they can be had, else at this server.
func (s *Server) placed(b rota.Blob) rota.Blob {
	if b.ID == "" || s.opts.Objects == nil {
		return b
	}
	if b.URL = s.opts.Objects.URL(string(b.ID)); b.URL == "" {
		b.URL = s.opts.API + "/api/v1/blobs/" + string(b.ID) + "/content"
	}
	return b
}

// Blob is a blob.
func (s *Server) Blob(ctx context.Context, id rota.BlobID) (rota.Blob, error) {
	p, err := s.allow(ctx, "blob")
	if err == nil {
		err = id.Check()
	}
	if err != nil {
		return rota.Blob{}, err
	}
	b, err := s.ownBlob(ctx, p, id)
	return s.placed(b), err
}

// ownBlob is a blob that the principal may look at: blobs are of no queue, so who is limited to some sees only the own.
func (s *Server) ownBlob(ctx context.Context, p rota.Principal, id rota.BlobID) (rota.Blob, error) {
	b, err := s.store.Blob(ctx, id)
	if err == nil && b.Creator != p.Name {
		if err := everywhere(p, "another's blob"); err != nil {
			return rota.Blob{}, err
		}
	}
	return b, s.outward(err)
}

// Blobs are blobs, newest first.
func (s *Server) Blobs(ctx context.Context, q rota.BlobQuery) ([]rota.Blob, error) {
	p, err := s.allow(ctx, "blobs")
	if err == nil {
		err = everywhere(p, "blobs")
	}
	if err != nil {
		return nil, err
	}
	if q.Max < 0 {
		return nil, rota.Invalid("at most %d: not a number of blobs", q.Max)
	}
	if q.Max == 0 {
		q.Max = defaultAnswer
	}
	q.Max = min(q.Max, maxAnswer)
	all, err := s.store.Blobs(ctx, q)
	for i := range all {
		all[i] = s.placed(all[i])
	}
	return all, s.outward(err)
}

// ReadBlob is a piece of a blob.
func (s *Server) ReadBlob(ctx context.Context, id rota.BlobID, offset int64, max int) ([]byte, int64, error) {
	p, err := s.allow(ctx, "read blob")
	if err == nil {
		err = id.Check()
	}
	if err == nil {
		_, err = s.ownBlob(ctx, p, id)
	}
	if err != nil {
		return nil, 0, err
	}
	return s.readBlob(ctx, id, offset, max)
}

func (s *Server) readBlob(ctx context.Context, id rota.BlobID, offset int64, max int) ([]byte, int64, error) {
	if offset < 0 || max < 0 {
		return nil, 0, rota.Invalid("piece of a blob: from %d, %d at most: not numbers of bytes", offset, max)
	}
	if max == 0 || max > rota.MaxPartBytes {
		max = rota.MaxPartBytes
	}
	if err := s.hasObjects(); err != nil {
		return nil, 0, err
	}
	b, err := s.store.Blob(ctx, id)
	if err != nil {
		return nil, 0, s.outward(err)
	}
	data, err := s.opts.Objects.Get(ctx, string(id), offset, max)
	if errors.Is(err, rota.ErrNotFound) {
		err = rota.Errorf(rota.ErrNotFound, "blob %.12s…: it is known, and its bytes are not in %s", id, s.placed(b).URL).
			WithFix("put it again: rota blob put FILE")
	}
	return data, b.Size, s.outward(err)
}

// DropBlob lets a blob go.
func (s *Server) DropBlob(ctx context.Context, id rota.BlobID) error {
	p, err := s.allow(ctx, "drop blob")
	if err == nil {
		err = id.Check()
	}
	if err != nil {
		return err
	}
	if !operates(p) {
		b, err := s.store.Blob(ctx, id)
		if err != nil {
			return s.outward(err)
		}
		if b.Creator != p.Name {
			return rota.Errorf(rota.ErrDenied, "blob %.12s…: it is %s's, and %s has the role %s", id, b.Creator, p.Name, p.Role).
				WithFix("use a token with the role %s: an admin makes it", rota.RoleOperator)
		}
	}
	if err := s.store.DropBlob(by(ctx, p, "drop blob", "blob "+string(id), ""), id); err != nil {
		return s.outward(err)
	}
	s.loops.forgetting.wake()
	return nil
}

// Program is a piece of the blob that a job runs, for its node.
func (s *Server) Program(ctx context.Context, id rota.JobID, offset int64, max int) ([]byte, int64, error) {
	p, err := s.allow(ctx, "program")
	if err == nil {
		err = s.ownInput(ctx, p, id)
	}
	if err != nil {
		return nil, 0, err
	}
	job, err := s.store.Job(ctx, id)
	if err != nil {
		return nil, 0, s.outward(err)
	}
	if job.Spec.Blob == "" {
		return nil, 0, rota.Errorf(rota.ErrNotFound, "job %v: it runs no blob", id)
	}
	return s.readBlob(ctx, job.Spec.Blob, offset, max)
}

// checkProgram refuses a job whose blob cannot be run, before it is stored.
func (s *Server) checkProgram(ctx context.Context, spec *rota.Spec) error {
	if spec.Blob == "" {
		return nil
	}
	head, _, err := s.readBlob(ctx, spec.Blob, 0, 512)
	if err != nil {
		return err
	}
	return rota.CheckExecutable(head)
}

// bringProgram keeps the program that came within a submission, and names it in its place.
func (s *Server) bringProgram(ctx context.Context, p rota.Principal, sub *rota.Submission) error {
	if len(sub.Program) == 0 {
		return nil
	}
	switch {
	case len(sub.Program) > rota.MaxProgram:
		return rota.Errorf(rota.ErrTooLarge, "program: %d bytes, and %d is the limit within a submission", len(sub.Program), rota.MaxProgram).
			WithFix("put it first, and name it: rota blob put FILE")
	case sub.Spec.Blob != "":
		return rota.Invalid("a program was sent, and the spec names a blob already")
	}
	if err := s.hasObjects(); err != nil {
		return err
	}
	if err := rota.CheckExecutable(sub.Program); err != nil {
		return err
	}
	id := blobOf(sub.Program)
	sub.Spec.Blob = id
	probe := *sub
	if err := probe.Resolve(); err != nil { // nothing is kept for a job that is refused
		return err
	}
	b := rota.Blob{ID: id, Size: int64(len(sub.Program)), Name: sub.Spec.Name, Creator: p.Name}
	_, err := s.putBlob(ctx, puts(ctx, p, b), b, bytes.NewReader(sub.Program))
	sub.Program = nil
	return err
}

func blobOf(b []byte) rota.BlobID {
	sum := sha256.Sum256(b)
	return rota.BlobID(hex.EncodeToString(sum[:]))
}

// forgetBlobs removes the bytes of blobs that are to go, and then forgets them.
func (s *Server) forgetBlobs(ctx context.Context) (time.Duration, error) {
	if s.opts.Objects == nil {
		return never, nil
	}
	ids, err := s.store.GoingBlobs(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := s.opts.Objects.Remove(ctx, string(id)); err != nil {
			return 0, err
		}
		if err := s.store.ForgetBlob(ctx, id); err != nil {
			return 0, err
		}
	}
	if len(ids) > 0 {
		return longBreath, nil
	}
	return never, nil
}
