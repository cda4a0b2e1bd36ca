package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

func artifactsPath(t rota.Try) string {
	return taskPath(t.Task) + "/attempts/" + strconv.Itoa(t.Attempt) + "/artifacts"
}

type listArtifactsRequest struct {
	Job     rota.JobID `path:"job" minimum:"1" doc:"the job's number"`
	Task    taskText   `query:"task" doc:"only of this task of it"`
	After   taskText   `query:"after_task" doc:"those behind this one: the last of the page before, by its task,"`
	Attempt int        `query:"after_attempt" minimum:"0" doc:"attempt"`
	Name    string     `query:"after_name" doc:"and name"`
	Max     int        `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type artifactList struct {
	Artifacts []rota.Artifact `json:"artifacts" nullable:"false"`
}

func listArtifacts(ctx context.Context, svc rota.Service, in *listArtifactsRequest) (*body[artifactList], error) {
	q := rota.ArtifactQuery{Job: in.Job, Task: in.Task.V, After: rota.Try{Task: in.After.V, Attempt: in.Attempt}, Name: in.Name, Max: in.Max}
	all, err := svc.Artifacts(ctx, q)
	return answer(artifactList{full(all)}, err)
}

// Artifacts are the files that attempts of a job left and that were kept.
func (c *Client) Artifacts(ctx context.Context, q rota.ArtifactQuery) ([]rota.Artifact, error) {
	var out artifactList
	params := query().text("task", q.Task.String()).text("after_task", q.After.Task.String()).number("after_attempt", int64(q.After.Attempt)).
		text("after_name", q.Name).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: jobPath(q.Job) + "/artifacts", query: params, out: &out, again: true})
	return out.Artifacts, err
}

// ArtifactAt is an artifact as a path and a query name it.
type ArtifactAt struct {
	Task    taskText `path:"task"`
	Attempt int      `path:"attempt" minimum:"1"`
	Name    string   `query:"name" required:"true" doc:"the artifact's name"`
}

func (in *ArtifactAt) try() rota.Try { return rota.Try{Task: in.Task.V, Attempt: in.Attempt} }

type readArtifactRequest struct {
	ArtifactAt
	Offset int64 `query:"offset" minimum:"0" doc:"of the first byte"`
	Max    int   `query:"max" minimum:"0" doc:"bytes at most; default: the server's choice"`
}

func readArtifact(ctx context.Context, svc rota.Service, in *readArtifactRequest) (*body[inputPiece], error) {
	data, size, err := svc.ReadArtifact(ctx, in.try(), in.Name, in.Offset, in.Max)
	return answer(inputPiece{data, size}, err)
}

// ReadArtifact is a piece of a file that an attempt left, and its whole length.
func (c *Client) ReadArtifact(ctx context.Context, try rota.Try, name string, offset int64, max int) ([]byte, int64, error) {
	var out inputPiece
	params := query().text("name", name).number("offset", offset).number("max", int64(max))
	err := c.do(ctx, call{method: "GET", path: artifactsPath(try) + "/piece", query: params, out: &out, again: true})
	return out.Data, out.Size, err
}

// artifactContent binds the route that streams an artifact, as something that no browser shows.
func artifactContent(s *Server, rt *route) {
	huma.Register(s.huma, rt.content(s), func(ctx context.Context, in *ArtifactAt) (*huma.StreamResponse, error) {
		read := func(ctx context.Context, offset int64) ([]byte, int64, error) {
			return s.svc.ReadArtifact(ctx, in.try(), in.Name, offset, rota.MaxPartBytes)
		}
		return s.streams(ctx, path.Base(in.Name), read)
	})
}

// keepArtifact binds the route that takes the bytes of an artifact as they are.
func keepArtifact(s *Server, rt *route) {
	op := rt.operation(s)
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "task", In: "path", Required: true, Schema: text},
		{Name: "attempt", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger}},
		{Name: "name", In: "query", Required: true, Schema: text, Description: "its path in the working folder"},
		{Name: "sha256", In: "query", Required: true, Schema: text, Description: "of the bytes, in hex"},
	}
	op.RequestBody = bytesBody(rota.MaxArtifactBytes)
	op.Responses = map[string]*huma.Response{"204": {Description: "No Content"}}
	s.huma.OpenAPI().AddOperation(&op)
	s.bulk(rt, func(w http.ResponseWriter, r *http.Request, body io.Reader) error {
		a, err := artifactOf(r)
		if err == nil {
			err = s.svc.KeepArtifact(r.Context(), a, body)
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	})
}

// artifactOf is the artifact that a request brings.
func artifactOf(r *http.Request) (a rota.Artifact, err error) {
	if a.Task, err = rota.ParseTaskID(r.PathValue("task")); err != nil {
		return a, err
	}
	if a.Attempt, err = strconv.Atoi(r.PathValue("attempt")); err != nil || a.Attempt < 1 {
		return a, rota.Invalid("attempt %q: attempts are numbered from 1", r.PathValue("attempt"))
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return a, rota.Invalid("query: %v", err)
	}
	for key, values := range q {
		switch key {
		case "name":
			a.Name = values[0]
		case "sha256":
			a.Blob = rota.BlobID(values[0])
		default:
			return a, rota.Invalid("query: %s is not known; name and sha256 are", key)
		}
	}
	a.Size = r.ContentLength
	return a, nil
}

// KeepArtifact keeps a file that an attempt has left. A body that can be read again (io.Seeker) is sent again when the
// connection breaks.
func (c *Client) KeepArtifact(ctx context.Context, a rota.Artifact, body io.Reader) error {
	if err := a.Check(); err != nil {
		return err
	}
	if a.Size == 0 {
		body = nil // else its length would be taken for unknown
	}
	q := query().text("name", a.Name).text("sha256", string(a.Blob))
	return c.do(ctx, call{method: "PUT", path: artifactsPath(a.Try), query: q, body: body, length: a.Size})
}
