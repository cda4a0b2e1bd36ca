package measure

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

// submit is how fast durable submits are, of single jobs from 64 callers over the socket.
func submit(ctx context.Context, b *bench) ([]Figure, error) {
	return b.submitSingles(ctx, b.scaled(40_000))
}

const callers = 64

func (b *bench) submitSingles(ctx context.Context, n int) ([]Figure, error) {
	m, err := b.newMachine(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer m.close()
	ln, err := api.ListenUnix(m.dir)
	if err != nil {
		return nil, err
	}
	door := api.New(m.server, api.Options{})
	go door.Serve(ln)
	defer door.Close()
	client := api.Dial(ln.Addr().String())
	defer client.Close()
	one := func(int, int) error {
		_, err := client.Submit(ctx, rota.Submission{Spec: rota.Spec{Argv: []string{"noop"}}, Key: api.NewKey()})
		return err
	}
	ours, err := callAtOnce(n, one)
	if err != nil {
		return nil, err
	}
	bare, err := bareRequests(ctx, m.dir, n)
	if err != nil {
		return nil, err
	}
	f := Figure{Name: "submit, 64 callers over the socket", Value: ours, Unit: "/s", Goal: "≥ 12000/s"}
	return []Figure{f.beside(bare, "bare net/http over a socket, nothing stored")}, nil
}

// callAtOnce makes n calls from 64 callers and is how many a second were answered.
func callAtOnce(n int, call func(c, i int) error) (float64, error) {
	begun := time.Now()
	failed := make(chan error, callers)
	var work sync.WaitGroup
	for c := range callers {
		work.Go(func() {
			for i := range n / callers {
				if err := call(c, i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return perSecond(n/callers*callers, time.Since(begun)), nil
	}
}

// bareRequests is how many requests a second net/http answers over a unix socket when there is nothing to do.
func bareRequests(ctx context.Context, dir string, n int) (float64, error) {
	path := filepath.Join(dir, "bare.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })}
	go srv.Serve(ln)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	return callAtOnce(n, func(int, int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://rota/", http.NoBody)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
}

// submitArray makes a large array while another's tasks are claimed and finished beside it.
func submitArray(ctx context.Context, b *bench) ([]Figure, error) {
	m, err := b.newMachine(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer m.close()
	s := &session{machine: m, id: "bench"}
	if err := s.open(); err != nil {
		return nil, err
	}
	first, err := m.server.Submit(m.ctx, array(100_000, "noop"))
	if err == nil {
		err = m.made(first.Job)
	}
	if err != nil {
		return nil, err
	}
	n := b.scaled(1_000_000)
	begun := time.Now()
	job, err := m.server.Submit(m.ctx, array(n, "noop"))
	if err != nil {
		return nil, err
	}
	made := make(chan error, 1)
	var took time.Duration
	go func() {
		err := m.made(job.Job)
		took = time.Since(begun)
		made <- err
	}()
	var trips []time.Duration
	for busy := true; busy; {
		d, err := s.exchange(20)
		if err != nil {
			return nil, err
		}
		trips = append(trips, d)
		select {
		case err = <-made:
			busy = false
			if err != nil {
				return nil, err
			}
		default:
		}
	}
	return []Figure{
		{Name: "array, tasks made", Value: perSecond(n, took), Unit: "/s", Goal: "≥ 200000/s"},
		{Name: "finish meanwhile, p99", Value: ms(quantile(trips, 0.99)), Unit: "ms", Goal: "≤ 100 ms"},
	}, nil
}

// made waits until all tasks of a job are made.
func (m *machine) made(id rota.JobID) error {
	for {
		j, err := m.store.Job(m.ctx, id)
		if err != nil || j.Made == j.Tasks {
			return err
		}
		select {
		case <-m.ctx.Done():
			return m.ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// session claims and finishes by hand.
type session struct {
	*machine
	id   rota.SessionID
	seq  int64
	done []rota.Finish
}

func (s *session) open() error {
	_, err := s.server.OpenSession(s.ctx, rota.Opening{Session: s.id, Node: rota.Node{Name: "bench"}, Key: "bench"})
	return err
}

// exchange finishes what the last one claimed and claims up to n; it is how long that took.
func (s *session) exchange(n int) (time.Duration, error) {
	s.seq++
	begun := time.Now()
	out, err := s.server.Exchange(s.ctx, rota.Exchange{Session: s.id, Seq: s.seq, Finished: s.done, Claim: rota.Claim{Max: n}})
	took := time.Since(begun)
	if err != nil {
		return 0, err
	}
	zero := 0
	s.done = s.done[:0]
	for _, a := range out.Claimed {
		s.done = append(s.done, rota.Finish{Try: a.Try, Outcome: rota.OutcomeSucceeded, Exit: &zero, StartedAgo: 1000, EndedAgo: 1000})
	}
	return took, nil
}

func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	ds = slices.Sorted(slices.Values(ds))
	return ds[min(int(q*float64(len(ds))), len(ds)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
