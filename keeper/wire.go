package keeper

import (
	"bufio"
	"encoding/gob"
	"io"
	"iter"
	"net"
	"sync"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Protocol is the version of what daemon and keeper say to each other. It is raised by a change that the other side
// cannot do without, and then the two do not talk.
//
// All other changes add: an older keeper goes on serving a newer daemon and the other way round (P10, P13). So a field
// that is not known is ignored on purpose, one that is missing is zero, and an op that is not known is answered with
// ErrUnsupported, or ignored where no answer is wanted. That, and that arguments and environment are bytes and no text,
// is why messages are written by encoding/gob and not as JSON. It leaves out what is zero, also behind a pointer.
const Protocol = 1

const (
	maxMessage = 16 << 20 // bytes; a longer one closes the connection
	maxBatch   = 1 << 20  // bytes of a message's items; more go as several messages, but one item may be longer
	maxItem    = maxMessage / 2
)

// request is what the daemon says. The keeper takes one after the other.
type request struct {
	ID        uint64 // of the answer that is wanted; 0: none
	Op        op
	Protocol  int
	Processes []packedProcess
	Tries     []rota.Try
	Now       bool
	Stream    rota.Stream
	Until     rota.Elapsed
	Slots     int
}

type op string

const (
	opHello  op = "hello" // the first: Protocol; is answered by a Hello after all that is Held
	opStart  op = "start"
	opStop   op = "stop"   // the first of Tries, Now
	opReturn op = "return" // Tries, or all
	opHeld   op = "held"   // is answered by Tries
	opForget op = "forget"
	opFile   op = "file"    // of the first of Tries the Stream; is answered by a Path
	opSample op = "samples" // is answered by Samples
	opCheck  op = "check"   // is answered by an Error, or none
	opLease  op = "lease"
	opResize op = "resize" // Slots
	opEnd    op = "end"    // is answered when nothing runs any more
)

// answer is what the keeper says: to a request, or that something ended.
type answer struct {
	ID    uint64 // of the request; 0: it was not asked
	Error *packedError
	Hello *Hello
	Held  []Held
	Tries []rota.Try
	Path  string
	Exits []packedExit
	// Samples are few enough for one message: there are no more than slots.
	Samples []executor.Sample
}

// Hello is how a keeper introduces itself.
type Hello struct {
	Protocol int
	Version  string         // of its program
	PID      int            // of its process
	Session  rota.SessionID // of its life, made in memory (P4)
	Secret   string         // likewise: known to it and to the daemons it was told to, and written nowhere
}

// packedProcess is a process without what it has in common with the one before it in the message: tasks of an array
// have nearly all of their environment, and their script.
type packedProcess struct {
	executor.Process      // Env without its beginning
	SameEnv          int  // how many entries of Env are as in the one before
	SameBody         bool // Body is as in the one before
}

func packProcesses(ps []executor.Process) []packedProcess {
	packed := make([]packedProcess, len(ps))
	for i, p := range ps {
		packed[i].Process = p
		if i == 0 {
			continue
		}
		before := &ps[i-1]
		same := 0
		for same < min(len(p.Env), len(before.Env)) && p.Env[same] == before.Env[same] {
			same++
		}
		packed[i].SameEnv, packed[i].Env = same, p.Env[same:]
		if p.Body != "" && p.Body == before.Body {
			packed[i].SameBody, packed[i].Body = true, ""
		}
	}
	return packed
}

func unpackProcesses(packed []packedProcess) ([]executor.Process, error) {
	ps := make([]executor.Process, len(packed))
	var before executor.Process
	for i, p := range packed {
		if p.SameEnv < 0 || p.SameEnv > len(before.Env) {
			return nil, rota.Invalid("process %v: %d entries of its environment are to be those of one that has %d", p.Try, p.SameEnv, len(before.Env))
		}
		if p.SameEnv > 0 {
			p.Env = append(before.Env[:p.SameEnv:p.SameEnv], p.Env...)
		}
		if p.SameBody {
			p.Body = before.Body
		}
		before, ps[i] = p.Process, p.Process
	}
	return ps, nil
}

// sizeOf is about how long a process is in a message, alone.
func sizeOf(p executor.Process) int {
	n := 256 + len(p.Body) + len(p.Program) + len(p.Dir) + len(p.Token) + len(p.Stdin) + len(p.Input) + len(p.Out) + len(p.Err) + len(p.Note)
	for _, x := range p.Secrets {
		n += 8 + len(x.Name) + len(x.Value)
	}
	for _, texts := range append(p.Pipe[:len(p.Pipe):len(p.Pipe)], p.Artifacts, p.Argv, p.Env, p.Interpreter, p.Wrap, p.ErrWrap) {
		for _, t := range texts {
			n += 8 + len(t)
		}
	}
	return n
}

// packedExit is an exit, and which of its pointers are set: gob does not tell a pointer to 0 from none.
type packedExit struct {
	executor.Exit
	HasCode bool
	HasOut  bool
	HasErr  bool
}

func packExits(es []executor.Exit) []packedExit {
	packed := make([]packedExit, len(es))
	for i, e := range es {
		packed[i] = packedExit{e, e.Code != nil, e.Written.Stdout != nil, e.Written.Stderr != nil}
	}
	return packed
}

func unpackExits(packed []packedExit) []executor.Exit {
	es := make([]executor.Exit, len(packed))
	for i, e := range packed {
		if e.HasOut && e.Written.Stdout == nil {
			e.Written.Stdout = new(int64)
		}
		if e.HasErr && e.Written.Stderr == nil {
			e.Written.Stderr = new(int64)
		}
		if e.HasCode && e.Code == nil {
			e.Code = new(int)
		}
		es[i] = e.Exit
	}
	return es
}

func sizeOfExit(e executor.Exit) int {
	n := 256 + len(e.Reason) + len(e.Missed)
	for _, a := range e.Artifacts {
		n += 128 + len(a.Name) + len(a.Path)
	}
	for _, path := range e.Output {
		n += len(path)
	}
	return n
}

func sizeOfHeld(h Held) int { return 64 + len(h.Note) }

// packedError is an error of a kind.
type packedError struct {
	Kind string
	Text string
	Fix  string
}

func packError(err error) *packedError {
	if err == nil {
		return nil
	}
	return &packedError{rota.KindOf(err).Name, err.Error(), rota.FixOf(err)}
}

func (p *packedError) unpack() error {
	if p == nil {
		return nil
	}
	err := &rota.Error{Kind: rota.ErrInternal, Text: p.Text, Fix: p.Fix}
	for _, k := range rota.Kinds {
		if k.Name == p.Kind {
			err.Kind = k.Err
		}
	}
	return err
}

// batches are the items in order, as many at a time as fit into a message.
func batches[T any](all []T, size func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for len(all) > 0 {
			n, sum := 1, size(all[0])
			for n < len(all) && sum+size(all[n]) <= maxBatch {
				sum += size(all[n])
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// wire is a connection between daemon and keeper. One goroutine reads; any may write.
type wire struct {
	net.Conn
	in  bounded
	dec *gob.Decoder

	mu  sync.Mutex
	out *bufio.Writer
	enc *gob.Encoder
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, in: bounded{from: bufio.NewReader(c)}, out: bufio.NewWriterSize(c, 64<<10)}
	w.dec, w.enc = gob.NewDecoder(&w.in), gob.NewEncoder(w.out)
	return w
}

func (w *wire) write(message any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enc.Encode(message); err != nil {
		return err
	}
	return w.out.Flush()
}

// read reads a message into what is zero.
func (w *wire) read(message any) error {
	w.in.left = maxMessage
	return w.dec.Decode(message)
}

// bounded reads no more than is left.
type bounded struct {
	from *bufio.Reader
	left int
}

var errTooLong = rota.Errorf(rota.ErrTooLarge, "a message has more than %d bytes", maxMessage)

func (b *bounded) Read(to []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(to[:min(len(to), b.left)])
	b.left -= n
	return n, err
}

func (b *bounded) ReadByte() (byte, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	b.left--
	return b.from.ReadByte()
}

var _ io.ByteReader = (*bounded)(nil) // else the decoder would read ahead of the bound
