package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"

	"github.com/rotaqueue/rota"
)

// jobTokenPrefix begins the tokens of jobs: rtj_TASK_ATTEMPT_SIGNATURE, all in decimal and hex.
const jobTokenPrefix = "rtj_"

// signer signs attempts with the store's secret, so that a job can prove which attempt it is (S1). Nothing of it is
// stored.
type signer struct {
	mu     sync.Mutex
	secret []byte
}

// mac is a signature to be made with the store's secret, which is read once.
func (g *signer) mac(ctx context.Context, store rota.Store) (hash.Hash, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.secret == nil {
		id, err := store.Identity(ctx)
		if err != nil {
			return nil, err
		}
		if len(id.Secret) == 0 {
			return nil, rota.Errorf(rota.ErrInternal, "sign tokens of jobs: the store has no secret")
		}
		g.secret = id.Secret
	}
	return hmac.New(sha256.New, g.secret), nil
}

// jobToken is the token of an attempt.
func jobToken(mac hash.Hash, try rota.Try) string {
	text := make([]byte, 0, 96)
	text = append(text, jobTokenPrefix...)
	text = strconv.AppendInt(text, int64(try.Task), 10)
	text = append(text, '_')
	text = strconv.AppendInt(text, int64(try.Attempt), 10)
	mac.Reset()
	mac.Write(text)
	text = append(text, '_')
	return string(hex.AppendEncode(text, mac.Sum(make([]byte, 0, sha256.Size))))
}

var errBadToken = rota.Errorf(rota.ErrUnauthenticated, "token: not known").
	WithFix("an admin makes tokens; one is shown only when it is made")

// authenticateJob is the principal of a job's own token. It is good only while that very attempt runs.
func (s *Server) authenticateJob(ctx context.Context, secret string) (rota.Principal, error) {
	var none rota.Principal
	task, attempt, ok := strings.Cut(strings.TrimPrefix(secret, jobTokenPrefix), "_")
	attempt, _, signed := strings.Cut(attempt, "_")
	id, err1 := strconv.ParseInt(task, 10, 64)
	number, err2 := strconv.Atoi(attempt)
	if !ok || !signed || err1 != nil || err2 != nil {
		return none, errBadToken
	}
	try := rota.Try{Task: rota.TaskID(id), Attempt: number}
	mac, err := s.signer.mac(ctx, s.store)
	if err != nil {
		return none, s.outward(err)
	}
	if !hmac.Equal([]byte(jobToken(mac, try)), []byte(secret)) {
		return none, errBadToken
	}
	now, _, err := s.store.Task(ctx, try.Task)
	if err != nil && !errors.Is(err, rota.ErrNotFound) {
		return none, s.outward(err)
	}
	if err != nil || now.State != rota.Running || now.Attempt.Number != try.Attempt {
		return none, rota.Errorf(rota.ErrUnauthenticated, "token of task %v: its attempt %d does not run any more", try.Task, try.Attempt)
	}
	job, err := s.store.Job(ctx, try.Task.Job())
	if err != nil {
		return none, s.outward(err)
	}
	p := rota.Principal{Name: job.Submitter, Role: rota.RoleSubmitter, Within: try.Task, Login: job.Spec.User}
	if c := job.Spec.Caller; p.Login == "" && c != nil {
		p.Login = c.User
	}
	p.Queues, err = s.scopeOf(ctx, &job)
	return p, err
}

// scopeOf are the queues that a job's own token is limited to: those of its submitter, if that is a user; the job's own
// queue, if the name is that of a token which is limited.
func (s *Server) scopeOf(ctx context.Context, job *rota.Job) (string, error) {
	users, err := s.store.Users(ctx, job.Submitter)
	if err != nil || len(users) == 1 {
		for _, u := range users {
			return u.Queues, nil
		}
		return "", s.outward(err)
	}
	tokens, err := s.store.Tokens(ctx, "")
	for _, t := range tokens {
		if t.Name == job.Submitter && t.Queues != "" {
			return job.Spec.Queue, nil
		}
	}
	return "", s.outward(err)
}
