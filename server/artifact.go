package server

import (
	"context"
	"errors"
	"io"
	"path"

	"github.com/rotaqueue/rota"
)

// KeepArtifact keeps a file that an attempt has left: its bytes as a blob, and then what the attempt calls it. One whose
// bytes are there already is not read again.
func (s *Server) KeepArtifact(ctx context.Context, a rota.Artifact, body io.Reader) error {
	p, err := s.allow(ctx, "keep artifact")
	if err == nil {
		err = a.Check()
	}
	if err == nil {
		err = s.ownAttempt(ctx, p, a.Try)
	}
	if err == nil {
		err = s.keepBytes(ctx, a, body)
	}
	if err != nil {
		return err
	}
	err = s.store.KeepArtifact(ctx, a)
	if errors.Is(err, rota.ErrNotFound) {
		err = rota.Errorf(rota.ErrUnavailable, "artifact %q: somebody has just removed the blob that it is", a.Name).WithFix("try again")
	}
	return s.outward(err)
}

// keepBytes keeps what an artifact is, as its submitter's. Of an empty one there is nothing to be kept.
func (s *Server) keepBytes(ctx context.Context, a rota.Artifact, body io.Reader) error {
	if a.Size == 0 {
		if a.Blob != blobOf(nil) {
			return rota.Invalid("artifact %q: it is empty, and that is not the SHA-256 of nothing", a.Name)
		}
		return nil
	}
	if err := s.hasObjects(); err != nil {
		return err
	}
	job, err := s.store.Job(ctx, a.Task.Job())
	if errors.Is(err, rota.ErrNotFound) {
		err = rota.Errorf(rota.ErrLeaseLost, "attempt %v is not running", a.Try)
	}
	if err != nil {
		return s.outward(err)
	}
	b := rota.Blob{ID: a.Blob, Size: a.Size, Name: path.Base(a.Name), Creator: job.Submitter}
	if len(b.Name) > rota.MaxName {
		b.Name = ""
	}
	b, err = s.putBlob(ctx, ctx, b, body)
	if err == nil && b.Size != a.Size {
		err = rota.Invalid("artifact %q: its blob has %d bytes, and not %d", a.Name, b.Size, a.Size)
	}
	return err
}

// Artifacts are the files that attempts of a job left and that were kept.
func (s *Server) Artifacts(ctx context.Context, q rota.ArtifactQuery) ([]rota.Artifact, error) {
	p, err := s.allow(ctx, "artifacts")
	switch {
	case err != nil:
	case q.Max < 0:
		err = rota.Invalid("at most %d: not a number of artifacts", q.Max)
	case q.Task != 0 && q.Task.Job() != q.Job:
		err = rota.Invalid("task %v: is not one of the job %v", q.Task, q.Job)
	default:
		_, err = s.readable(ctx, p, q.Job)
	}
	if err != nil {
		return nil, err
	}
	if q.Max == 0 {
		q.Max = defaultAnswer
	}
	q.Max = min(q.Max, maxAnswer)
	all, err := s.store.Artifacts(ctx, q)
	return all, s.outward(err)
}

// ReadArtifact is a piece of a file that an attempt left: whoever sees the job sees it, though it is another's blob.
func (s *Server) ReadArtifact(ctx context.Context, try rota.Try, name string, offset int64, max int) ([]byte, int64, error) {
	p, err := s.allow(ctx, "read artifact")
	if err == nil {
		_, err = s.readable(ctx, p, try.Task.Job())
	}
	if err != nil {
		return nil, 0, err
	}
	a, err := s.store.Artifact(ctx, try, name)
	if err != nil || a.Size == 0 {
		return nil, 0, s.outward(err)
	}
	return s.readBlob(ctx, a.Blob, offset, max)
}

// checkArtifacts refuses a job that has files kept where no server has a place for them, before it is stored.
func (s *Server) checkArtifacts(spec *rota.Spec) error {
	if len(spec.Artifacts) == 0 {
		return nil
	}
	return s.hasObjects()
}
