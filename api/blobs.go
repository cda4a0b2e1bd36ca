package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

func blobPath(id rota.BlobID) string { return "/blobs/" + url.PathEscape(string(id)) }

// putBlob binds the route that takes the bytes of a blob as they are: the one body that may be larger than others.
func putBlob(s *Server, rt *route) {
	op := rt.operation(s)
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "blob", In: "path", Required: true, Schema: text, Description: "SHA-256 of the bytes, in hex"},
		{Name: "name", In: "query", Schema: text, Description: "what to call it"},
		{Name: "keep", In: "query", Schema: &huma.Schema{Type: huma.TypeBoolean}, Description: "keep it until somebody removes it"},
	}
	op.RequestBody = bytesBody(rota.MaxBlob)
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rota.Blob](), true, "")
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	s.huma.OpenAPI().AddOperation(&op)
	s.bulk(rt, s.takeBlob)
}

func (s *Server) takeBlob(w http.ResponseWriter, r *http.Request, body io.Reader) error {
	b := rota.Blob{ID: rota.BlobID(r.PathValue("blob")), Size: r.ContentLength}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return rota.Invalid("query: %v", err)
	}
	for key, values := range q {
		switch key {
		case "name":
			b.Name = values[0]
		case "keep":
			if b.Kept, err = strconv.ParseBool(values[0]); err != nil {
				return rota.Invalid("keep %q: write true or false", values[0])
			}
		default:
			return rota.Invalid("query: %s is not known; name and keep are", key)
		}
	}
	got, err := s.svc.PutBlob(r.Context(), b, body)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Content-Type", "application/json")
	return s.huma.Marshal(w, "application/json", got)
}

// PutBlob keeps a file. A body that can be read again (io.Seeker) is sent again when the connection breaks.
func (c *Client) PutBlob(ctx context.Context, b rota.Blob, body io.Reader) (out rota.Blob, err error) {
	if err := b.Check(); err != nil {
		return out, err
	}
	q := query().text("name", b.Name).flag("keep", b.Kept)
	err = c.do(ctx, call{method: "PUT", path: blobPath(b.ID), query: q, body: body, length: b.Size, out: &out})
	return out, err
}

type blobRequest struct {
	ID rota.BlobID `path:"blob" doc:"SHA-256 of its bytes, in hex"`
}

func getBlob(ctx context.Context, svc rota.Service, in *blobRequest) (*body[rota.Blob], error) {
	return answer(svc.Blob(ctx, in.ID))
}

// Blob is a blob.
func (c *Client) Blob(ctx context.Context, id rota.BlobID) (out rota.Blob, err error) {
	if err := id.Check(); err != nil {
		return out, err
	}
	err = c.do(ctx, call{method: "GET", path: blobPath(id), out: &out, again: true})
	return out, err
}

type listBlobsRequest struct {
	Prefix string      `query:"prefix" doc:"how the id begins"`
	After  rota.BlobID `query:"after" doc:"those behind this one: the last of the page before"`
	Max    int         `query:"max" minimum:"0" doc:"at most so many; default 100"`
}

type blobList struct {
	Blobs []rota.Blob `json:"blobs" nullable:"false"`
}

func listBlobs(ctx context.Context, svc rota.Service, in *listBlobsRequest) (*body[blobList], error) {
	all, err := svc.Blobs(ctx, rota.BlobQuery{Prefix: in.Prefix, After: in.After, Max: in.Max})
	return answer(blobList{full(all)}, err)
}

// Blobs are blobs, newest first.
func (c *Client) Blobs(ctx context.Context, q rota.BlobQuery) ([]rota.Blob, error) {
	var out blobList
	params := query().text("prefix", q.Prefix).text("after", string(q.After)).number("max", int64(q.Max))
	err := c.do(ctx, call{method: "GET", path: "/blobs", query: params, out: &out, again: true})
	return out.Blobs, err
}

type readBlobRequest struct {
	ID     rota.BlobID `path:"blob" doc:"SHA-256 of its bytes, in hex"`
	Offset int64       `query:"offset" minimum:"0" doc:"of the first byte"`
	Max    int         `query:"max" minimum:"0" doc:"bytes at most; default: the server's choice"`
}

func readBlob(ctx context.Context, svc rota.Service, in *readBlobRequest) (*body[inputPiece], error) {
	data, size, err := svc.ReadBlob(ctx, in.ID, in.Offset, in.Max)
	return answer(inputPiece{data, size}, err)
}

// ReadBlob is a piece of a blob, and its whole length.
func (c *Client) ReadBlob(ctx context.Context, id rota.BlobID, offset int64, max int) ([]byte, int64, error) {
	if err := id.Check(); err != nil {
		return nil, 0, err
	}
	var out inputPiece
	params := query().number("offset", offset).number("max", int64(max))
	err := c.do(ctx, call{method: "GET", path: blobPath(id) + "/piece", query: params, out: &out, again: true})
	return out.Data, out.Size, err
}

func dropBlob(ctx context.Context, svc rota.Service, in *blobRequest) (*nothing, error) {
	return done(svc.DropBlob(ctx, in.ID))
}

// DropBlob lets a blob go.
func (c *Client) DropBlob(ctx context.Context, id rota.BlobID) error {
	if err := id.Check(); err != nil {
		return err
	}
	return c.do(ctx, call{method: "DELETE", path: blobPath(id)})
}

type programRequest struct {
	Job    rota.JobID `path:"job" minimum:"1" doc:"the job's number"`
	Offset int64      `query:"offset" minimum:"0" doc:"of the first byte"`
	Max    int        `query:"max" minimum:"0" doc:"bytes at most; default: the server's choice"`
}

func program(ctx context.Context, svc rota.Service, in *programRequest) (*body[inputPiece], error) {
	data, size, err := svc.Program(ctx, in.Job, in.Offset, in.Max)
	return answer(inputPiece{data, size}, err)
}

// Program is a piece of the blob that a job runs, and its whole length.
func (c *Client) Program(ctx context.Context, job rota.JobID, offset int64, max int) ([]byte, int64, error) {
	var out inputPiece
	params := query().number("offset", offset).number("max", int64(max))
	err := c.do(ctx, call{method: "GET", path: jobPath(job) + "/program", query: params, out: &out, again: true})
	return out.Data, out.Size, err
}

// blobContent binds the route that streams a blob, as something that no browser shows.
func blobContent(s *Server, rt *route) {
	huma.Register(s.huma, rt.content(s), func(ctx context.Context, in *blobRequest) (*huma.StreamResponse, error) {
		read := func(ctx context.Context, offset int64) ([]byte, int64, error) {
			return s.svc.ReadBlob(ctx, in.ID, offset, rota.MaxPartBytes)
		}
		return s.streams(ctx, string(in.ID), read)
	})
}
