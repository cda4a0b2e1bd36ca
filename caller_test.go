package rota

import (
	"errors"
	"testing"
)

// TestZ8_WhoMayRunAsWhom: root's to give; for others what the list says.
func TestZ8_WhoMayRunAsWhom(t *testing.T) {
	rules, err := ParseRunAs([]string{"ci:build+deploy", "*:guest", "evil:root"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		caller    Caller
		submitter string
		asked     string
		want      string
		denied    bool
	}{
		"at the socket":                  {Caller{User: "ann"}, "ann", "", "ann", false},
		"at the socket, by name":         {Caller{User: "ann"}, "ann", "ann", "ann", false},
		"at the socket, as another":      {Caller{User: "ann"}, "ann", "bob", "", true},
		"root at the socket":             {Caller{User: "root", Admin: true}, "root", "", "root", false},
		"root as another":                {Caller{User: "root", Admin: true}, "root", "ann", "ann", false},
		"over the network":               {Caller{}, "ci", "", "build", false},
		"over the network, listed":       {Caller{}, "ci", "deploy", "deploy", false},
		"over the network, for all":      {Caller{}, "eve", "", "guest", false},
		"over the network, not listed":   {Caller{}, "eve", "build", "", true},
		"an admin over the network":      {Caller{Admin: true}, "adm", "root", "root", false},
		"an admin who says nothing":      {Caller{Admin: true}, "adm", "", "guest", false},
		"no rule makes anybody root":     {Caller{}, "evil", "root", "", true},
		"nor by default":                 {Caller{}, "evil", "", "guest", false},
		"the name of a user is no proof": {Caller{}, "ann", "ann", "", true},
		"a job's job":                    {Caller{User: "ann", Fixed: true}, "root", "", "ann", false},
		"a job's job as root":            {Caller{User: "ann", Fixed: true, Admin: true}, "root", "root", "", true},
		"a job's job by the list":        {Caller{User: "build", Fixed: true}, "ci", "deploy", "", true},
	} {
		got, err := rules.Of(&Spec{User: c.asked, Caller: &c.caller}, c.submitter)
		if got != c.want || errors.Is(err, ErrDenied) != c.denied {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if got, err := (RunAs)(nil).Of(&Spec{}, "ann"); got != "" || err != nil {
		t.Errorf("nothing is known: %q, %v", got, err)
	}
	for _, bad := range []string{"ann", ":bob", "ann:", "ann:bob+"} {
		if _, err := ParseRunAs([]string{bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
