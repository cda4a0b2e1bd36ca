package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/rotaqueue/rota"
)

// engine is what differs between databases. The statements of this package are one text for all engines, as SQLite
// has it; what another engine must be told besides stands in it as a comment.
type engine interface {
	name() string
	// shared reports whether others write beside this store's writers: what a transaction read may then change under
	// it unless it holds it.
	shared() bool
	// together is how many writes of different kinds one commit takes. An engine on which several write at once takes
	// one: the locks of a transaction are then in one order (P15).
	together() int
	// writers is how many transactions of this store may be under way at once.
	writers() int
	// connect makes a connection that writes.
	connect(ctx context.Context) (connection, error)
	// read runs a read beside the writers and gives each row to scan.
	read(ctx context.Context, scan func(*sql.Rows) error, q string, args ...any) error
	// clock is the store's time in microseconds, as an expression of a statement.
	clock() string
	// bytes is the size of what is stored.
	bytes(ctx context.Context) (int64, error)
	// prepare brings the schema to a version, if it is older, unless first has something against it. Nobody else does so
	// meanwhile.
	prepare(ctx context.Context, version int, first func(context.Context) error) error
	// schema is the version of the schema that is there, and the least one that a binary must know to use it.
	schema(ctx context.Context) (version, least int, err error)
	notify(n rota.Notice)
	listen(ctx context.Context, hear func(rota.Notice)) error
	copied
	// kind tells what an error of the engine means.
	kind(err error) error
	close() error
}

// connection is one that writes. It is used by one transaction at a time, and never with a context that a caller can
// end: that would interrupt the statement, and the others' writes with it.
type connection interface {
	// begin begins a transaction. One that must not be done twice is marked, where the answer to its commit can be lost.
	begin(marked bool) (beginning, error)
	// moment is the store's clock for the next write of the transaction, in microseconds.
	moment() int64
	// commit makes the transaction durable. An error that is errAgain says that nothing of it is stored.
	commit() error
	rollback()
	exec(q string, args ...any) (int, error)
	// later runs a statement that is expected to do just what the transaction goes on with. Over a connection it goes with the
	// next that is waited for, at the latest before the commit, and its error comes then.
	later(e expectation) error
	// each runs a statement once for each of n rows of arguments.
	each(q string, n int, row func(i int) []any) error
	query(scan func(*sql.Rows) error, q string, args ...any) error
	// number takes n numbers from a counter and returns the last.
	number(counter string, n int) (int64, error)
	close() error
}

// errAgain says that nothing of a transaction is stored, and that it is to be tried again: others were in its way, or the
// connection broke before its commit.
var errAgain = errors.New("the transaction has to be tried again")

// beginning is what a transaction knows from its first moment.
type beginning struct {
	now    int64 // the store's clock, in microseconds
	shape  int64 // changes whenever lanes, settings of queues or what jobs have of them do; 0 where only this writer changes them
	stripe int   // of counters: no other transaction of this moment has it
}

// writer is a connection with what it remembers from one transaction to the next, because it changes rarely.
type writer struct {
	connection
	beginning
	lanes     *lanes                 // nil: to be read
	ready     *readiness             // where only this writer writes; nil: to be read
	heads     map[int64]claimed      // by lane, likewise: its first ready task; a lane that is missing is to be looked at
	nodes     map[string]*rota.Node  // by name, as they are settled; nil: to be read
	queues    map[string]*rota.Queue // by name, without counts; nil: to be read
	tellers   map[string]bool        // users who say who is told of their jobs' ends; nil: to be read
	templates *templates             // the store's
	undone    int64                  // shapes that never were, below zero
}

// begin begins a transaction, and forgets what others have changed since the last.
func (w *writer) begin(marked bool) error {
	b, err := w.connection.begin(marked)
	switch b.shape {
	case 0:
		b.shape = w.shape
	case w.shape:
	default:
		w.forget()
	}
	w.beginning = b
	return err
}

// numbers are numbers for jobs that are being taken.
type numbers struct {
	first int64
	err   error
	done  chan struct{} // closed when they are there
}

// numbersFor takes numbers for the jobs of submits, while their transaction begins. Those of jobs that are not stored after all
// are never used.
func (w *writer) numbersFor(some []*write) *numbers {
	jobs := 0
	for _, one := range some {
		if one.sub != nil {
			jobs += len(one.sub.jobs)
		}
	}
	if jobs == 0 {
		return nil
	}
	taken := &numbers{done: make(chan struct{})}
	go func() {
		defer close(taken.done)
		last, err := w.number("job", jobs)
		taken.first, taken.err = last-int64(jobs)+1, err
	}()
	return taken
}

// forget forgets what goes by the shape.
func (w *writer) forget() {
	w.lanes, w.queues, w.ready, w.heads, w.nodes, w.tellers = nil, nil, nil, nil, nil, nil
	w.templates.clear()
}

// unshape forgets what a transaction that is undone may have changed.
func (w *writer) unshape() {
	w.forget()
	w.undone--
	w.shape = w.undone
}

func (w *writer) rollback() {
	w.unshape()
	w.connection.rollback()
}

// mark sets a point in the transaction to which undo goes back, and which unmark forgets.
func (w *writer) mark(name string) error { _, err := w.exec(`SAVEPOINT ` + name); return err }

func (w *writer) unmark(name string) error { _, err := w.exec(`RELEASE ` + name); return err }

func (w *writer) undo(name string) error {
	w.unshape()
	if _, err := w.exec(`ROLLBACK TO ` + name); err != nil {
		return err
	}
	return w.unmark(name)
}
