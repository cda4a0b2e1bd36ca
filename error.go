package rota

import (
	"errors"
	"fmt"
)

// The kinds of error. Every error that leaves a Service is one of them (errors.Is), on both sides of the wire.
var (
	ErrInvalid         = errors.New("invalid")              // the request is wrong; the same request will always be refused
	ErrNotFound        = errors.New("not found")            // no such job, task, queue, schedule…
	ErrUnauthenticated = errors.New("not authenticated")    // nobody was named, or the token is not known
	ErrDenied          = errors.New("not allowed")          // known, but not allowed
	ErrConflict        = errors.New("conflict")             // the thing is in a state that does not allow it
	ErrKeyReused       = errors.New("key reused")           // the same idempotency key came with another request
	ErrTooLarge        = errors.New("too large")            // over a documented limit
	ErrLeaseLost       = errors.New("lease lost")           // the attempt or session is no longer the caller's (P3)
	ErrUnavailable     = errors.New("unavailable")          // the server or its store does not answer now; try again
	ErrFull            = errors.New("no space left")        // the disk of the store is full; nothing was stored
	ErrBroken          = errors.New("store is not durable") // a write could not be made durable; the node must stop
	ErrUnsupported     = errors.New("not supported")        // this build, platform or store cannot do it
	ErrInternal        = errors.New("internal error")       // a defect of Rota's own
)

// Kind describes one kind of error to the outside: its name on the wire, its HTTP status, and the exit code of
// a command that ends with it.
type Kind struct {
	Err    error
	Name   string
	Status int
	Exit   int
}

// Kinds is the one table that maps kinds to the wire and back.
var Kinds = []Kind{
	{ErrInvalid, "invalid", 400, 2},
	{ErrUnauthenticated, "unauthenticated", 401, 4},
	{ErrDenied, "denied", 403, 4},
	{ErrNotFound, "not-found", 404, 3},
	{ErrConflict, "conflict", 409, 1},
	{ErrKeyReused, "key-reused", 409, 1},
	{ErrLeaseLost, "lease-lost", 409, 1},
	{ErrTooLarge, "too-large", 413, 2},
	{ErrUnsupported, "unsupported", 501, 1},
	{ErrUnavailable, "unavailable", 503, 5},
	{ErrFull, "full", 507, 1},
	{ErrBroken, "broken", 500, 1},
	{ErrInternal, "internal", 500, 1},
}

// KindOf is the kind of an error; what is of no kind is internal.
func KindOf(err error) Kind {
	for _, k := range Kinds {
		if errors.Is(err, k.Err) {
			return k
		}
	}
	return Kinds[len(Kinds)-1]
}

// Error is an error for a person: what was tried and why it failed, and what mends it.
type Error struct {
	Kind error  // one of the kinds above
	Text string // "queue \"x y\": a name has letters, digits, '.', '_' and '-' only"
	Fix  string // what to do: a sentence or a command; may be empty
}

func (e *Error) Error() string { return e.Text }

// Unwrap makes errors.Is find the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Errorf makes an error of a kind.
func Errorf(kind error, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Invalid makes an ErrInvalid.
func Invalid(format string, args ...any) *Error { return Errorf(ErrInvalid, format, args...) }

// WithFix adds what mends the error.
func (e *Error) WithFix(format string, args ...any) *Error {
	e.Fix = fmt.Sprintf(format, args...)
	return e
}

// FixOf is what mends the error, if the error knows.
func FixOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Fix
	}
	return ""
}
