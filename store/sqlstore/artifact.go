package sqlstore

import (
	"context"
	"database/sql"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
)

// KeepArtifact notes a file that a running attempt has left. The row of the task is held, so that no two are counted at once.
func (s *Store) KeepArtifact(ctx context.Context, a rota.Artifact) error {
	at.Point("store: before artifact")
	return s.write(ctx, "keep artifact", func(t *tx) error {
		var one int
		found, err := t.one(`SELECT 1 FROM task WHERE id = ?1 AND attempt = ?2 AND +state = 5 /*pg FOR UPDATE */`, []any{int64(a.Task), a.Attempt}, &one)
		if err == nil && !found {
			err = rota.Errorf(rota.ErrLeaseLost, "attempt %v is not running", a.Try)
		}
		if err != nil {
			return err
		}
		var n int
		var bytes int64
		if _, err := t.one(`SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM artifact WHERE task = ?1 AND attempt = ?2 AND name <> ?3`,
			[]any{int64(a.Task), a.Attempt, a.Name}, &n, &bytes); err != nil {
			return err
		}
		if n >= rota.MaxArtifacts || bytes+a.Size > rota.MaxArtifactBytes {
			return rota.Errorf(rota.ErrTooLarge, "artifact %q: attempt %v has %d with %d bytes, and %d with %d bytes are the limit",
				a.Name, a.Try, n, bytes, rota.MaxArtifacts, rota.MaxArtifactBytes)
		}
		if a.Size > 0 {
			if err := t.useBlob(a.Blob, holderOfArtifacts(a.Task.Job())); err != nil {
				return err
			}
		}
		_, err = t.exec(`INSERT INTO artifact (task, attempt, name, size, blob) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (task, attempt, name) DO UPDATE SET size = excluded.size, blob = excluded.blob`,
			int64(a.Task), a.Attempt, a.Name, a.Size, string(a.Blob))
		return err
	})
}

const artifactColumns = `SELECT task, attempt, name, size, blob FROM artifact `

func scanArtifact(r *sql.Rows) (a rota.Artifact, err error) {
	err = r.Scan((*int64)(&a.Task), &a.Attempt, &a.Name, &a.Size, (*string)(&a.Blob))
	return a, err
}

// Artifact is a file of an attempt.
func (s *Store) Artifact(ctx context.Context, try rota.Try, name string) (a rota.Artifact, err error) {
	err = s.query(ctx, func(r *sql.Rows) (err error) {
		a, err = scanArtifact(r)
		return err
	}, artifactColumns+`WHERE task = ?1 AND attempt = ?2 AND name = ?3`, int64(try.Task), try.Attempt, name)
	if err == nil && a.Name == "" {
		err = rota.Errorf(rota.ErrNotFound, "artifact %q: attempt %v has none of that name", name, try).WithFix("rota artifact ls %v", try.Task)
	}
	return a, err
}

// Artifacts are those of a job, by task, attempt and name.
func (s *Store) Artifacts(ctx context.Context, q rota.ArtifactQuery) (all []rota.Artifact, err error) {
	first, last := q.Job.Tasks()
	if q.Task != 0 {
		first, last = q.Task, q.Task
	}
	most := q.Max
	if most <= 0 {
		most = 100
	}
	err = s.query(ctx, func(r *sql.Rows) error {
		a, err := scanArtifact(r)
		all = append(all, a)
		return err
	}, artifactColumns+`WHERE task BETWEEN ?1 AND ?2 AND (task > ?3 OR task = ?3 AND (attempt > ?4 OR attempt = ?4 AND name `+s.engine.bytewise()+` > ?5))
		ORDER BY task, attempt, name `+s.engine.bytewise()+` LIMIT ?6`, int64(max(first, q.After.Task)), int64(last), int64(q.After.Task), q.After.Attempt, q.Name, most)
	return all, err
}

// dropArtifacts forgets what an attempt left that is said to have gone away.
func (t *tx) dropArtifacts(try rota.Try) error {
	_, err := t.exec(`DELETE FROM artifact WHERE task = ?1 AND attempt = ?2`, int64(try.Task), try.Attempt)
	return err
}

// holderOfArtifacts holds the blobs of all artifacts of a job, as long as the job is there.
func holderOfArtifacts(id rota.JobID) string { return "an artifact of job " + id.String() }
