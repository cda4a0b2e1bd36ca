package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/rotaqueue/rota"
)

// cronjobRoutes are a door of its own, as an older system had it: jobs that run by a crontab's line are put and looked at,
// and are schedules here.
var cronjobRoutes = []route{
	{"GET", "/jobs", viewer, "list-cronjobs", "The state of all cron jobs", on(listCronjobs)},
	{"GET", "/jobs/{id}", viewer, "get-cronjob", "The state of a cron job", on(getCronjob)},
	{"POST", "/jobs", submitter, "create-cronjob", "Create a cron job", on(createCronjob)},
	{"DELETE", "/jobs/{id}", submitter, "end-cronjob", "End a cron job: it stays to be looked at, as finished", on(endCronjob)},
}

// Cronjob is how that door is served.
type Cronjob struct {
	Beside bool   // its routes stand beside the others
	Trust  string // user in whose name those ask who come from this machine without a token; empty: they need one
	// As is who that user is; ErrUnauthenticated: Rota has no user of the name, and a plain submitter asks. Nil: it never has.
	As func(ctx context.Context, name string) (rota.Principal, error)
}

// cronjob is a job as that door has it.
type cronjob struct {
	ID         string `json:"id"`
	Status     string `json:"status" enum:"scheduled,finished,error" doc:"finished: no run is to come; error: the latest run failed, until one succeeds"`
	Executable string `json:"executable" doc:"the command, or the URL of the script or binary"`
	Schedule   string `json:"schedule" doc:"as in a crontab; also @once, and @at with a time"`
	Type       string `json:"type" enum:"command,script,binary"`
}

// The words of that door.
const (
	cronjobScheduled = "scheduled"
	cronjobFinished  = "finished"
	cronjobError     = "error"

	cronjobCommand = "command"
	cronjobScript  = "script"
	cronjobBinary  = "binary"
)

// cronjobPrefix begins the names of schedules that came through the door; what follows is the job's id.
const cronjobPrefix = "cronjob-"

// cronjobLabel is the label of a schedule's jobs with the type.
const cronjobLabel = "cronjob"

// status is the job's status (C4).
func cronjobStatus(s *rota.Schedule) string {
	over := s.Next.IsZero() && !s.Paused && s.Last != nil && s.Last.Result != ""
	switch {
	case s.Ended:
		return cronjobFinished
	case s.Failures > 0:
		return cronjobError
	case over:
		return cronjobFinished
	}
	return cronjobScheduled
}

func cronjobOf(s *rota.Schedule) cronjob {
	j := cronjob{ID: strings.TrimPrefix(s.Name, cronjobPrefix), Status: cronjobStatus(s), Schedule: s.Expr, Type: s.Spec.Labels[cronjobLabel]}
	j.Executable = s.Spec.Shell
	return j
}

// placedCronjob is the job with the URL where its script or binary is kept (C3).
func placedCronjob(ctx context.Context, svc rota.Service, s *rota.Schedule) (cronjob, error) {
	j := cronjobOf(s)
	if s.Spec.Blob == "" {
		return j, nil
	}
	b, err := svc.Blob(ctx, s.Spec.Blob)
	j.Executable = b.URL
	return j, err
}

func listCronjobs(ctx context.Context, svc rota.Service, _ *nothing) (*body[[]cronjob], error) {
	all, err := svc.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	jobs := []cronjob{}
	for i := range all {
		if !strings.HasPrefix(all[i].Name, cronjobPrefix) {
			continue
		}
		j, err := placedCronjob(ctx, svc, &all[i])
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return answer(jobs, nil)
}

type cronjobID struct {
	ID string `path:"id" pattern:"^[0-9]{1,18}$" doc:"the job's id"`
}

func getCronjob(ctx context.Context, svc rota.Service, in *cronjobID) (*body[cronjob], error) {
	r, err := svc.Schedule(ctx, cronjobPrefix+in.ID)
	if err != nil {
		return nil, noCronjob(err, in.ID)
	}
	return answer(placedCronjob(ctx, svc, &r.Schedule))
}

// noCronjob names a job that is not there as the door does.
func noCronjob(err error, id string) error {
	if err != nil && rota.KindOf(err).Err == rota.ErrNotFound {
		return rota.Errorf(rota.ErrNotFound, "job %q: there is none", id)
	}
	return err
}

// cronjobRequest is a job on its way in. Nothing else may stand in it.
type cronjobRequest struct {
	Executable string `json:"executable" doc:"the command, or the script or binary as BASE64"`
	Schedule   string `json:"schedule"`
	Type       string `json:"type"`
	User       string `json:"user,omitempty" doc:"user to run as; default: the node's own"`
}

type createdCronjob struct {
	Status   int
	Location string `header:"Location"`
	Body     cronjob
}

func createCronjob(ctx context.Context, svc rota.Service, in *body[cronjobRequest]) (*createdCronjob, error) {
	s, program, err := scheduleOfCronjob(ctx, &in.Body)
	if err == nil && program != nil {
		s.Spec.Blob, err = putProgram(ctx, svc, program)
	}
	if err == nil {
		s, err = svc.PutSchedule(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	j, err := placedCronjob(ctx, svc, &s)
	if err != nil {
		return nil, err
	}
	return &createdCronjob{Status: http.StatusCreated, Location: "/jobs/" + j.ID, Body: j}, nil
}

// scheduleOfCronjob checks a job and makes a schedule of it, and of its script or binary what is to be kept.
func scheduleOfCronjob(ctx context.Context, in *cronjobRequest) (s rota.Schedule, program []byte, err error) {
	s = rota.Schedule{Name: in.Schedule, Expr: in.Schedule, Zone: zoneOfMachine()}
	if _, err := s.Timing(); err != nil {
		return s, nil, err
	}
	s.Name = cronjobPrefix + "#"
	s.Spec.Labels = map[string]string{cronjobLabel: in.Type}
	switch in.Type {
	case cronjobCommand:
		s.Spec.Shell, err = in.Executable, checkCommand(in.Executable)
	case cronjobScript, cronjobBinary:
		program, err = decodeProgram(in.Executable, in.Type)
	default:
		err = rota.Invalid("type %q: write command, script or binary", in.Type)
	}
	if err == nil {
		s.Spec.User, err = runsAs(ctx, in.User)
	}
	return s, program, err
}

// putProgram keeps a script or binary.
func putProgram(ctx context.Context, svc rota.Service, program []byte) (rota.BlobID, error) {
	sum := sha256.Sum256(program)
	id := rota.BlobID(hex.EncodeToString(sum[:]))
	_, err := svc.PutBlob(ctx, rota.Blob{ID: id, Size: int64(len(program))}, bytes.NewReader(program))
	return id, err
}

// runsAs is the user that a job runs as: none for the node's own. Root is for admins (C2); what else is allowed the node
// says.
func runsAs(ctx context.Context, user string) (string, error) {
	p, _ := rota.PrincipalOf(ctx)
	switch own := userName(os.Getuid()); {
	case user == "root" && p.Role != admin:
		return "", rota.Errorf(rota.ErrDenied, "user root: only an admin may run jobs as root, and %s has the role %s", p.Name, p.Role)
	case user == "" || user == own:
		return "", nil
	case os.Getuid() != 0:
		return "", rota.Errorf(rota.ErrDenied, "user %s: jobs run here as the node's own user, %s", user, own)
	}
	return user, nil
}

func endCronjob(ctx context.Context, svc rota.Service, in *cronjobID) (*body[cronjob], error) {
	r, err := svc.Schedule(ctx, cronjobPrefix+in.ID)
	if err != nil {
		return nil, noCronjob(err, in.ID)
	}
	s := r.Schedule
	if !s.Ended {
		s.Ended = true
		s, err = svc.PutSchedule(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	return answer(placedCronjob(ctx, svc, &s))
}

// isCronjob reports whether a route is of that door.
func (rt *route) isCronjob() bool { return rt.path == "/jobs" || strings.HasPrefix(rt.path, "/jobs/") }

// trusts reports whether a request that has no token is made in the name of the user that is trusted: it comes from this
// machine, straight and not through a proxy, which would make everybody come from here.
func (c *Cronjob) trusts(r *http.Request) bool {
	if c == nil || c.Trust == "" || peerOf(r.Context()) != nil {
		return false
	}
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// trusted is the user that is trusted, as Rota knows that user at this moment. An admin is an operator there: all users of the
// machine come in by this way, and root is for admins.
func (c *Cronjob) trusted(r *http.Request) (rota.Principal, error) {
	p := rota.Principal{Name: c.Trust, Role: submitter}
	if c.As != nil {
		user, err := c.As(r.Context(), c.Trust)
		switch {
		case err == nil:
			p = user
		case rota.KindOf(err).Err != rota.ErrUnauthenticated:
			return p, err
		}
	}
	if p.Role == admin {
		p.Role = operator
	}
	p.From = from(r)
	return p, nil
}

// whoAt says in whose name a request to that door is made.
func (c *Cronjob) whoAt(who func(*http.Request) (rota.Principal, error)) func(*http.Request) (rota.Principal, error) {
	return func(r *http.Request) (rota.Principal, error) {
		if _, given := bearer(r); !given && c.trusts(r) {
			return c.trusted(r)
		}
		p, err := who(r)
		if err != nil && rota.KindOf(err).Err == rota.ErrUnauthenticated && r.Header.Get("Authorization") == "" {
			err = rota.Errorf(rota.ErrUnauthenticated, "nobody was named: this address needs a token").
				WithFix("rota token create --role submitter NAME makes one; send it as: Authorization: Bearer TOKEN. " +
					"Or start the node with --cronjob-trust-loopback USER, and whoever is on its machine asks as that user")
		}
		return p, err
	}
}
