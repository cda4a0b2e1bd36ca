package web

import (
	"errors"
	"net/http"

	"github.com/rotaqueue/rota"
)

// anybody is the role of a page that asks nobody who they are.
const anybody rota.Role = ""

// route is a page or an act. Its role is the outer door: what a principal may do beyond that is the Service's to say.
type route struct {
	method, path string
	role         rota.Role
	show         func(*Pages, *request) error
}

// routes are all pages and acts there are.
var routes = []route{
	{"GET", "/login", anybody, (*Pages).loginForm},
	{"POST", "/login", anybody, (*Pages).login},
	{"POST", "/logout", anybody, (*Pages).logout},

	{"GET", "/{$}", rota.RoleViewer, (*Pages).overview},
	{"GET", "/jobs", rota.RoleViewer, (*Pages).jobs},
	{"GET", "/jobs/{job}", rota.RoleViewer, (*Pages).job},
	{"GET", "/tasks/{task}", rota.RoleViewer, (*Pages).task},
	{"GET", "/tasks/{task}/log", rota.RoleViewer, (*Pages).logPage},
	{"GET", "/tasks/{task}/log/piece", rota.RoleViewer, (*Pages).logPiece},
	{"GET", "/tasks/{task}/raw", rota.RoleViewer, (*Pages).rawLog},
	{"GET", "/tasks/{task}/artifact", rota.RoleViewer, (*Pages).artifact},
	{"GET", "/new", rota.RoleSubmitter, (*Pages).newJob},
	{"POST", "/new", rota.RoleSubmitter, (*Pages).submitJob},
	{"GET", "/failed", rota.RoleViewer, (*Pages).failed},
	{"GET", "/workflows", rota.RoleViewer, (*Pages).workflows},
	{"GET", "/queues", rota.RoleViewer, (*Pages).queues},
	{"GET", "/queues/{queue}", rota.RoleViewer, (*Pages).queue},
	{"POST", "/queues/{queue}", rota.RoleOperator, (*Pages).changeQueue},
	{"GET", "/cron", rota.RoleViewer, (*Pages).cron},
	{"POST", "/cron", rota.RoleSubmitter, (*Pages).putSchedule},
	{"GET", "/cron/{schedule}", rota.RoleViewer, (*Pages).schedule},
	{"POST", "/cron/{schedule}", rota.RoleSubmitter, (*Pages).actSchedule},
	{"GET", "/nodes", rota.RoleViewer, (*Pages).nodes},
	{"GET", "/nodes/{node}", rota.RoleViewer, (*Pages).node},
	{"POST", "/nodes/{node}", rota.RoleOperator, (*Pages).actNode},
	{"GET", "/stats", rota.RoleViewer, (*Pages).stats},
	{"GET", "/audit", rota.RoleAdmin, (*Pages).audit},
	{"GET", "/settings", rota.RoleViewer, (*Pages).settings},
	{"POST", "/settings", rota.RoleViewer, (*Pages).changeSettings},
	{"GET", "/users", rota.RoleAdmin, (*Pages).users},
	{"POST", "/users", rota.RoleAdmin, (*Pages).addUser},
	{"POST", "/users/{user}", rota.RoleAdmin, (*Pages).actUser},
	{"GET", "/secrets", rota.RoleAdmin, (*Pages).secrets},
	{"POST", "/secrets", rota.RoleAdmin, (*Pages).putSecret},
	{"POST", "/secrets/{secret}", rota.RoleAdmin, (*Pages).dropSecret},
	{"GET", "/tokens", rota.RoleAdmin, (*Pages).tokens},
	{"POST", "/tokens", rota.RoleAdmin, (*Pages).createToken},
	{"POST", "/tokens/{token}", rota.RoleAdmin, (*Pages).dropToken},
	{"GET", "/api", rota.RoleViewer, (*Pages).apiDocs},

	{"POST", "/act", rota.RoleSubmitter, (*Pages).confirmAct},
	{"POST", "/act/do", rota.RoleSubmitter, (*Pages).doAct},
	{"GET", "/complete", rota.RoleViewer, (*Pages).complete},
	{"GET", "/live", rota.RoleViewer, (*Pages).live},
}

// handler is a route behind its door.
func (p *Pages) handler(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rq := p.request(w, r)
		var err error
		if rt.role != anybody {
			err = rq.enter(rt.role)
		}
		if err == nil {
			err = rt.show(p, rq)
		}
		if err != nil {
			rq.fail(err)
		}
	})
}

// enter finds out who asks, and refuses who may not.
func (r *request) enter(need rota.Role) error {
	secret := r.secret()
	if secret == "" {
		return rota.Errorf(rota.ErrUnauthenticated, "nobody is signed in")
	}
	if r.pages.opts.Authenticate == nil {
		return rota.Errorf(rota.ErrUnauthenticated, "this server knows no tokens")
	}
	who, err := r.pages.opts.Authenticate(r.Context(), secret)
	if err != nil {
		return err
	}
	if !who.Role.May(need) || who.Within != 0 {
		return rota.Errorf(rota.ErrDenied, "%s has the role %s, and this takes the role %s", who.Name, who.Role, need).
			WithFix("sign in with a token that has the role %s: an admin makes it", need)
	}
	who.Remote, who.From = true, r.from()
	r.Who = who
	r.Request = r.Request.WithContext(rota.WithPrincipal(r.Context(), who))
	return nil
}

// fail answers with an error. Who is not signed in is asked to.
func (r *request) fail(err error) {
	k := rota.KindOf(err)
	switch {
	case r.Context().Err() != nil:
		return // nobody listens any more
	case errors.Is(err, rota.ErrUnauthenticated) && r.Method == http.MethodGet && !r.partial():
		r.forget(sessionCookie)
		r.redirect("login?next=" + escape(r.here()))
		return
	case k.Err == rota.ErrInternal:
		r.pages.log.Error("a page failed inside", "path", r.URL.Path, "err", err, "principal", r.Who.Name)
		err = rota.Errorf(rota.ErrInternal, "the server failed inside").WithFix("its log says why")
	}
	r.status = k.Status
	r.show("error", k.Err.Error(), failure{What: err.Error(), Fix: rota.FixOf(err), Status: k.Status})
}

type failure struct {
	What, Fix string
	Status    int
}
