package web

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
)

// artifactsView are files that attempts of a job left, the first of them.
type artifactsView struct {
	Rows []rota.Artifact
	More bool
}

// artifactsOf are the files that a job left, or one task of it; nil for a job that has none kept.
func (p *Pages) artifactsOf(r *request, j *rota.Job, of rota.TaskID) (*artifactsView, error) {
	if len(j.Spec.Artifacts) == 0 {
		return nil, nil
	}
	rows, err := p.svc.Artifacts(r.Context(), rota.ArtifactQuery{Job: j.ID, Task: of, Max: pageRows + 1})
	v := &artifactsView{Rows: rows}
	if v.More = len(rows) > pageRows; v.More {
		v.Rows = rows[:pageRows]
	}
	return v, err
}

// ArtifactPath is where a file that was left is had.
func (r *request) ArtifactPath(a rota.Artifact) string {
	return "tasks/" + a.Task.String() + "/artifact?" + url.Values{"attempt": {strconv.Itoa(a.Attempt)}, "name": {a.Name}}.Encode()
}

// artifact gives a file that an attempt left, to be saved: no browser shows it.
func (p *Pages) artifact(r *request) error {
	id, err := rota.ParseTaskID(r.PathValue("task"))
	if err != nil {
		return err
	}
	try, name := rota.Try{Task: id, Attempt: attemptParam(r)}, r.URL.Query().Get("name")
	piece, size, err := p.svc.ReadArtifact(r.Context(), try, name, 0, rota.MaxPartBytes)
	if err != nil {
		return err
	}
	h := r.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", cmp.Or(mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}), "attachment"))
	control := http.NewResponseController(r.w)
	for at := int64(0); at < size; {
		_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := r.w.Write(piece); err != nil {
			return nil
		}
		at += int64(len(piece))
		if piece, _, err = p.svc.ReadArtifact(r.Context(), try, name, at, rota.MaxPartBytes); err != nil || len(piece) == 0 && at < size {
			p.log.Warn("an artifact broke off", "task", id, "attempt", try.Attempt, "name", name, "err", err)
			panic(http.ErrAbortHandler) // nobody takes a part for the whole
		}
	}
	return nil
}
