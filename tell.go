package rota

import (
	"net/url"
	"regexp"
	"slices"
)

// Tell says who is told of a job's end.
type Tell struct {
	MailTo []string `json:"mail_to,omitempty" doc:"addresses"`
	MailOn MailOn   `json:"mail_on,omitempty" doc:"when they get mail: error (the default), end or always"`
	Notify []string `json:"notify,omitempty" doc:"URLs that are told of each end, by POST"`
}

// MailOn says which ends are told by mail.
type MailOn string

const (
	MailOnError  MailOn = "error"  // a task failed
	MailOnEnd    MailOn = "end"    // it succeeded or failed
	MailOnAlways MailOn = "always" // it was cancelled as well
)

// Says reports whether anybody is told.
func (t *Tell) Says() bool { return len(t.MailTo) > 0 || len(t.Notify) > 0 }

// Or fills what t leaves open from a default: addresses and when they get mail together, URLs apart.
func (t Tell) Or(d Tell) Tell {
	if len(t.MailTo) == 0 {
		t.MailTo = d.MailTo
		if t.MailOn == "" {
			t.MailOn = d.MailOn
		}
	}
	if len(t.Notify) == 0 {
		t.Notify = d.Notify
	}
	return t
}

// NoMail as an address, and NoMail as a URL, is for a job of which nobody is to be told, whatever the defaults.
const NoMail = "none"

// Places are to whom an event goes: mail:ADDRESS, or a URL.
func (t *Tell) Places(k EventKind) (places []string) {
	on := t.MailOn
	wanted := k == EventFailed || k == EventAlarm || on == MailOnAlways || on == MailOnEnd && k == EventSucceeded
	for _, to := range t.MailTo {
		if wanted && to != NoMail {
			places = append(places, MailPlace+to)
		}
	}
	for _, to := range t.Notify {
		if to != NoMail {
			places = append(places, to)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// MailPlace begins a Letter's place that is an address.
const MailPlace = "mail:"

// MaxPlaces is how many addresses, and URLs, a job can have.
const MaxPlaces = 20

// address is a mail address without a name, comments or quotes.
var address = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9.-]+$`)

// Check refuses what is no address or URL.
func (t *Tell) Check() error { return t.checkTell() }

func (t *Tell) checkTell() error {
	if len(t.MailTo) > MaxPlaces || len(t.Notify) > MaxPlaces {
		return tooLarge("addresses to tell", max(len(t.MailTo), len(t.Notify)), MaxPlaces, "of each kind")
	}
	for _, to := range t.MailTo {
		if to != NoMail && (!address.MatchString(to) || len(to) > 254) {
			return Invalid("mail to %q: not an address", to).WithFix("write it as name@example.org")
		}
	}
	switch t.MailOn {
	case "", MailOnError, MailOnEnd, MailOnAlways:
	default:
		return Invalid("mail on %q: write error, end or always", t.MailOn)
	}
	for _, to := range t.Notify {
		u, err := url.Parse(to)
		if to != NoMail && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(to) > 2048) {
			return Invalid("notify %q: not a URL", to).WithFix("write it as https://example.org/hook")
		}
	}
	return nil
}
