package rota

import (
	"context"
	"path"
	"strings"
	"time"
)

// User is a person or program with a name, a role, and a password or tokens.
type User struct {
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Queues   string    `json:"queues,omitempty" doc:"the role holds for these queues only: patterns with commas, ! excludes; empty: all"`
	Password bool      `json:"password,omitempty" doc:"may log in by a password"`
	Tell               // of jobs that name nobody
	Created  time.Time `json:"created,omitzero"`
	Changed  time.Time `json:"changed,omitzero"`
	Hash     string    `json:"-"` // of the password, with what it was made of; empty: none
}

// UserChange is what is to be different of a user; nil: as it is.
type UserChange struct {
	Role     *Role   `json:"role,omitempty"`
	Queues   *string `json:"queues,omitempty" doc:"patterns with commas; empty: all"`
	Password *string `json:"password,omitempty" doc:"empty: none, only tokens"`
	// Who is told when jobs of the user end that name nobody: an empty list, or text, takes that away.
	MailTo []string `json:"mail_to,omitzero"`
	MailOn *MailOn  `json:"mail_on,omitempty"`
	Notify []string `json:"notify,omitzero"`
}

// Tells reports whether the change says who is told of ends.
func (c *UserChange) Tells() bool { return c.MailTo != nil || c.MailOn != nil || c.Notify != nil }

// Telling is who is told of ends once the change is made.
func (u User) Telling(c UserChange) Tell {
	changeList(&u.MailTo, c.MailTo)
	change(&u.MailOn, c.MailOn)
	changeList(&u.Notify, c.Notify)
	return u.Tell
}

// The least and the most bytes of a password.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// Link lets somebody in once, in the name of who made it: a page is opened by it.
type Link struct {
	Secret  string    `json:"secret" doc:"to be redeemed for a token, once"`
	Expires time.Time `json:"expires"`
}

// LinkFor is how long a link can be redeemed, LoginFor how long the token of a login or a link lasts.
const (
	LinkFor  = 2 * time.Minute
	LoginFor = 12 * time.Hour
)

// Deed is a line of the audit: what somebody changed. Lines are added with the change itself, or not at all, and stay.
type Deed struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at" doc:"by the store's clock"`
	By     string    `json:"by"`
	From   string    `json:"from,omitempty" doc:"where the request came from: an address, or the socket"`
	What   string    `json:"what" doc:"the verb: cancel, change queue, create token…"`
	On     string    `json:"on,omitempty" doc:"what it was done to"`
	Detail string    `json:"detail,omitempty"`
}

// DeedQuery asks for lines of the audit, newest first.
type DeedQuery struct {
	By     string
	What   string
	Before int64 // older than this one; 0: from the newest
	Max    int   // at most; 0: 100
}

type deedKey struct{}

// WithDeed says what a write of a store does, and in whose name: the store adds that to the audit, with the write or not at
// all. It is one of the write's arguments.
func WithDeed(ctx context.Context, d Deed) context.Context {
	return context.WithValue(ctx, deedKey{}, d)
}

// DeedOf is what a write does; without one nothing is added to the audit.
func DeedOf(ctx context.Context) (Deed, bool) {
	d, ok := ctx.Value(deedKey{}).(Deed)
	return d, ok
}

// InQueues reports whether a queue is among those that patterns select: the last one that fits decides, one that begins
// with ! excludes. No patterns select all queues.
func InQueues(patterns, queue string) bool {
	if patterns == "" {
		return true
	}
	in := strings.HasPrefix(patterns, "!") // whoever only excludes has the others
	for p := range strings.SplitSeq(patterns, ",") {
		p, not := strings.CutPrefix(strings.TrimSpace(p), "!")
		if fits, err := path.Match(p, queue); err == nil && fits {
			in = !not
		}
	}
	return in
}

// CheckQueues refuses what are no patterns of queues.
func CheckQueues(patterns string) error {
	if patterns == "" {
		return nil
	}
	for p := range strings.SplitSeq(patterns, ",") {
		p = strings.TrimPrefix(strings.TrimSpace(p), "!")
		if _, err := path.Match(p, ""); err != nil || p == "" || strings.ContainsAny(p, " \t/\\") || len(p) > MaxQueueName {
			return Invalid("queues %q: %q is no pattern of queue names", patterns, p).WithFix("write for example gpu,fast-*,!slow")
		}
	}
	return nil
}
