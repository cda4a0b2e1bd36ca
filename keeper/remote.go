package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Remote is a keeper that is a process of its own, as a daemon has it. Its attempts go on when the daemon ends.
//
// When the keeper dies, or another daemon takes over, Exits is closed once what has come was taken; what is asked then
// is ErrUnavailable, or nothing where there is no error to tell.
type Remote struct {
	wire    *wire
	hello   Hello
	resumed []Held
	reports *reports
	gone    chan struct{} // closed when nothing comes any more
	process *os.Process   // found while it was at the other end

	mu      sync.Mutex
	latest  uint64                 // of the requests' IDs
	pending map[uint64]chan answer // nil when nothing comes any more
}

var _ executor.Keeper = (*Remote)(nil)

// ErrDead is why nobody is reached at a keeper's socket: its process is dead, or it never was.
var ErrDead = errors.New("no keeper listens there")

func unreachable(path string, err error) error {
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("keeper at %s: %w", path, ErrDead)
	}
	return rota.Errorf(rota.ErrUnavailable, "keeper at %s: %v", path, err)
}

// Dial connects to the keeper that listens on a socket, and takes over from the daemon before. ctx is for that only.
// When the keeper is dead the error is ErrDead, and so it is when it dies meanwhile.
func Dial(ctx context.Context, path string) (*Remote, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := dial(ctx, path)
		if !errors.Is(err, errHungUp) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, rota.Errorf(rota.ErrUnavailable, "keeper at %s: %v", path, err)
		case <-tick.C:
		}
	}
}

// errHungUp is what is met by who dials a keeper that is about to die, or whose turn another daemon takes.
var errHungUp = errors.New("it hung up")

func dial(ctx context.Context, path string) (*Remote, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, unreachable(path, err)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", short)
	done()
	if err != nil {
		return nil, unreachable(path, err)
	}
	r := &Remote{wire: newWire(c), reports: newReports(), gone: make(chan struct{}), pending: map[uint64]chan answer{}}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	err = r.greet(path)
	if !stop() {
		err = rota.Errorf(rota.ErrUnavailable, "keeper at %s: %v", path, context.Cause(ctx))
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	if r.process, err = os.FindProcess(r.hello.PID); err != nil {
		_ = c.Close()
		return nil, rota.Errorf(rota.ErrUnavailable, "process of the keeper at %s: %v", path, err)
	}
	go func() { _, _ = r.process.Wait() }() // if it is our own child, nobody else reaps it
	go r.reports.deliver()
	go r.listen()
	return r, nil
}

// greet exchanges greetings, before anything else is said.
func (r *Remote) greet(path string) error {
	r.latest++
	err := checkPeer(r.wire.Conn)
	if err == nil {
		err = r.wire.write(request{ID: r.latest, Op: opHello, Protocol: Protocol})
	}
	for err == nil {
		var a answer
		if err = r.wire.read(&a); err != nil {
			break
		}
		r.resumed = append(r.resumed, a.Held...)
		switch {
		case a.Error != nil:
			return a.Error.unpack()
		case a.Hello != nil && a.Hello.Protocol != Protocol:
			return rota.Errorf(rota.ErrUnsupported, "the keeper %s of process %d speaks protocol %d, and the daemon %d",
				a.Hello.Version, a.Hello.PID, a.Hello.Protocol, Protocol)
		case a.Hello != nil:
			r.hello = *a.Hello
			return nil
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) {
		return errHungUp
	}
	return rota.Errorf(rota.ErrUnavailable, "keeper at %s: %v", path, err)
}

// Hello is how the keeper introduced itself.
func (r *Remote) Hello() Hello { return r.hello }

// Resumed is what the keeper had when this daemon connected, by task and attempt. What had ended is reported again.
func (r *Remote) Resumed() []Held { return r.resumed }

// listen takes what the keeper says, until nothing comes any more. It never waits for anybody else.
func (r *Remote) listen() {
	defer close(r.gone)
	for {
		var a answer
		if err := r.wire.read(&a); err != nil {
			break
		}
		for _, e := range unpackExits(a.Exits) {
			r.reports.add(e)
		}
		if a.ID == 0 {
			continue
		}
		r.mu.Lock()
		waits := r.pending[a.ID]
		delete(r.pending, a.ID)
		r.mu.Unlock()
		if waits != nil {
			waits <- a
		}
	}
	_ = r.wire.Close()
	r.mu.Lock()
	for _, waits := range r.pending {
		close(waits)
	}
	r.pending = nil
	r.mu.Unlock()
	r.reports.end()
}

// ask waits for the answer to a request.
func (r *Remote) ask(q request) (answer, error) {
	waits := make(chan answer, 1)
	r.mu.Lock()
	if r.pending == nil {
		r.mu.Unlock()
		return answer{}, lostKeeper(q.Op)
	}
	r.latest++
	q.ID = r.latest
	r.pending[q.ID] = waits
	r.mu.Unlock()
	r.tell(q)
	a, ok := <-waits
	if !ok {
		return answer{}, lostKeeper(q.Op)
	}
	return a, a.Error.unpack()
}

func lostKeeper(o op) error {
	return rota.Errorf(rota.ErrUnavailable, "%s: the connection to the keeper is lost", o)
}

// tell waits for no answer. A request that could not be written ends the connection, for it may have been cut short.
func (r *Remote) tell(q request) {
	if r.wire.write(q) != nil {
		_ = r.wire.Close()
	}
}

// Start queues processes behind those that wait. After an error some of them may have been queued: handed over again,
// they are not started twice (P10).
func (r *Remote) Start(ps []executor.Process) error {
	for _, p := range ps {
		if n := sizeOf(p); n > maxItem {
			return rota.Errorf(rota.ErrTooLarge, "start %v: its arguments, environment and text have %d bytes; %d at most", p.Try, n, maxItem)
		}
	}
	for part := range batches(ps, sizeOf) {
		if _, err := r.ask(request{Op: opStart, Processes: packProcesses(part)}); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends an attempt.
func (r *Remote) Stop(try rota.Try, now bool) {
	r.tell(request{Op: opStop, Tries: []rota.Try{try}, Now: now})
}

// Return takes back what waits.
func (r *Remote) Return(tries ...rota.Try) { r.tell(request{Op: opReturn, Tries: tries}) }

// Exits delivers the ends.
func (r *Remote) Exits() <-chan []executor.Exit { return r.reports.out }

// Held are the attempts that were not forgotten, by task and attempt; none when the connection is lost.
func (r *Remote) Held() []rota.Try {
	a, _ := r.ask(request{Op: opHeld})
	return a.Tries
}

// Forget drops ends. What has not ended is not forgotten.
func (r *Remote) Forget(tries []rota.Try) {
	if len(tries) > 0 {
		r.tell(request{Op: opForget, Tries: tries})
	}
}

// File is where an attempt's stream is now; nowhere when the connection is lost.
func (r *Remote) File(try rota.Try, s rota.Stream) string {
	a, _ := r.ask(request{Op: opFile, Tries: []rota.Try{try}, Stream: s})
	return a.Path
}

// Samples are the latest of what runs; none when the connection is lost, or the keeper is of a version that does not
// measure.
func (r *Remote) Samples() []executor.Sample {
	a, _ := r.ask(request{Op: opSample})
	return a.Samples
}

// Check is why the keeper could start nothing now; one whose version cannot tell is taken for one that could.
func (r *Remote) Check() error {
	_, err := r.ask(request{Op: opCheck})
	if errors.Is(err, rota.ErrUnsupported) {
		return nil
	}
	return err
}

// Lease says until when the keeper may run anything; see Local.Lease.
func (r *Remote) Lease(until rota.Elapsed) { r.tell(request{Op: opLease, Until: until}) }

// Resize says how many attempts may run at once from now on; see Local.Resize.
func (r *Remote) Resize(slots int) { r.tell(request{Op: opResize, Slots: slots}) }

// Gone is closed when the connection is lost, by whichever side.
func (r *Remote) Gone() <-chan struct{} { return r.gone }

// Kill kills the keeper's process, and returns when it is dead: the main processes of its attempts die with it, and
// Recover ends what they leave (P11).
func (r *Remote) Kill() error {
	if err := r.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return rota.Errorf(rota.ErrUnavailable, "kill the keeper, process %d: %v", r.hello.PID, err)
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for waited := time.Duration(0); r.process.Signal(unix.Signal(0)) == nil; waited += time.Millisecond {
		if waited > 2*gone {
			return rota.Errorf(rota.ErrUnavailable, "the keeper, process %d, was killed and has not gone", r.hello.PID)
		}
		<-look.C
	}
	return nil
}

// Close leaves the keeper, which goes on. Nothing is reported any more.
func (r *Remote) Close() error {
	_ = r.wire.Close()
	<-r.gone
	r.reports.close()
	return nil
}

// End makes the keeper end everything that runs, at once, and go away; it returns when that is done.
func (r *Remote) End() error {
	_, err := r.ask(request{Op: opEnd})
	if err == nil {
		<-r.gone // its Serve returns
	}
	return errors.Join(err, r.Close())
}
