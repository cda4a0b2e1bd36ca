package rota

import (
	"slices"
	"strings"
)

// Caller is who submitted a job, as the server saw it that it came to.
type Caller struct {
	User  string `json:"user,omitempty" doc:"the user of the machine at the local socket; none: it came over the network"`
	Admin bool   `json:"admin,omitempty"`
	// Fixed says that a running job submitted it: it runs as that one does, and as nobody else.
	Fixed bool `json:"fixed,omitempty"`
}

// RunAs says who may have jobs run as whom, on a node that can run them as others: one of root's. Each rule is
// "WHO:USER+USER": WHO is a submitter's name, or * for all; the first USER is also who jobs of WHO run as that do not say it.
type RunAs []RunAsRule

// RunAsRule is a line of it.
type RunAsRule struct {
	Who   string
	Users []string
}

// ParseRunAs reads rules.
func ParseRunAs(texts []string) (RunAs, error) {
	var all RunAs
	for _, text := range texts {
		who, users, ok := strings.Cut(text, ":")
		r := RunAsRule{who, strings.Split(users, "+")}
		if !ok || who == "" || slices.Contains(r.Users, "") {
			return nil, Invalid("run.as: %q is not understood", text).WithFix("write WHO:USER, or WHO:USER+USER, such as ci:build+deploy")
		}
		all = append(all, r)
	}
	return all, nil
}

// rootUser is the name of uid 0.
const rootUser = "root"

// Of is the user that a job runs as; empty is nobody in particular.
//
// Who was at the local socket is run as themselves, and who came over the network as the first user that a rule has for
// their name. Another user may be named if a rule lists it for the submitter, or by an admin; root by admins only.
func (r RunAs) Of(s *Spec, submitter string) (string, error) {
	var c Caller
	if s.Caller != nil {
		c = *s.Caller
	}
	switch {
	case s.User == "" && c.User != "":
		return c.User, nil
	case s.User == "":
		return r.first(submitter, c.Admin), nil
	case s.User == c.User, c.Admin && !c.Fixed:
		return s.User, nil
	case c.Fixed:
		return "", Errorf(ErrDenied, "user %s: a job that a job submits runs as that one", s.User).WithFix("leave --user out")
	case s.User == rootUser:
		return "", Errorf(ErrDenied, "user root: jobs of admins only may run as root, and %s is none", submitter)
	case r.lists(submitter, s.User):
		return s.User, nil
	}
	return "", Errorf(ErrDenied, "user %s: %s may not have jobs run as %s", s.User, submitter, s.User).
		WithFix("an admin adds it to the nodes' settings: run.as = [\"%s:%s\"]", submitter, s.User)
}

func (r RunAs) first(submitter string, admin bool) string {
	for _, who := range []string{submitter, "*"} {
		for _, rule := range r {
			if rule.Who == who && (admin || rule.Users[0] != rootUser) {
				return rule.Users[0]
			}
		}
	}
	return ""
}

func (r RunAs) lists(submitter, user string) bool {
	return slices.ContainsFunc(r, func(rule RunAsRule) bool {
		return (rule.Who == submitter || rule.Who == "*") && slices.Contains(rule.Users, user)
	})
}
