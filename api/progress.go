package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

type watchRequest struct {
	Job  rota.JobID   `path:"job" minimum:"1" doc:"the job's number"`
	Wait durationText `query:"wait" doc:"how long to wait; a minute at most"`
	Seen string       `header:"If-None-Match" doc:"the ETag of the progress that the caller has: wait until it differs"`
}

type watchAnswer struct {
	Status int
	ETag   string `header:"ETag"`
	Body   rota.Progress
}

func watch(ctx context.Context, svc rota.Service, in *watchRequest) (*watchAnswer, error) {
	seen, known := parseTag(in.Seen)
	p, err := svc.Watch(ctx, in.Job, seen, atMost(in.Wait))
	if err != nil {
		return nil, err
	}
	out := &watchAnswer{Status: http.StatusOK, ETag: tagOf(p), Body: p}
	if known && p == seen {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// Watch returns a job's progress as soon as it differs from what the caller has seen, the job has ended, or the wait
// is over.
func (c *Client) Watch(ctx context.Context, job rota.JobID, seen rota.Progress, wait time.Duration) (out rota.Progress, err error) {
	err = c.do(ctx, call{method: "GET", path: jobPath(job) + "/progress", query: query().wait(wait), seen: tagOf(seen), out: &out, again: true})
	if errors.Is(err, errSame) {
		return seen, nil
	}
	return out, err
}

// tagOf is the ETag of a progress. The server learns from it what the caller has seen, and keeps no state.
func tagOf(p rota.Progress) string {
	b, _ := json.Marshal(p) // numbers only
	return `"` + base64.RawURLEncoding.EncodeToString(b) + `"`
}

func parseTag(tag string) (p rota.Progress, known bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
	if err != nil || len(b) == 0 {
		return rota.Progress{}, false
	}
	if json.Unmarshal(b, &p) != nil {
		return rota.Progress{}, false
	}
	return p, true
}
