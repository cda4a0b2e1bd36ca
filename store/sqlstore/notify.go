package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rotaqueue/rota"
)

// Notify tells the other servers of the store something.
func (s *Store) Notify(n rota.Notice) { s.engine.notify(n) }

// Listen hears what the other servers tell.
func (s *Store) Listen(ctx context.Context, hear func(rota.Notice)) error {
	return s.engine.listen(ctx, hear)
}

// An embedded store has no other servers.
func (e *sqlite) notify(rota.Notice) {}

func (e *sqlite) listen(ctx context.Context, _ func(rota.Notice)) error {
	<-ctx.Done()
	return nil
}

// Notices go out in transactions of their own, after the commit that they tell of: within it, they would make all
// commits of the database wait for each other. What comes while one is on its way goes with the next.
const (
	noticeChannel = "rota"
	noticePause   = 10 * time.Millisecond // between one and the next
	listenPause   = time.Second           // between tries to be connected
)

// notices are those on their way.
type notices struct {
	mu      sync.Mutex
	waiting []string
	sending bool
	from    string // who tells, so that nobody listens to himself
}

func newNotices() *notices {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return &notices{from: hex.EncodeToString(b[:])}
}

func (e *postgres) notify(n rota.Notice) {
	if e.pooled {
		return // nobody can listen through a pooler
	}
	e.notices.mu.Lock()
	defer e.notices.mu.Unlock()
	if !slices.Contains(e.notices.waiting, string(n)) {
		e.notices.waiting = append(e.notices.waiting, string(n))
	}
	if !e.notices.sending {
		e.notices.sending = true
		go e.tell()
	}
}

// tell sends what waits until nothing does.
func (e *postgres) tell() {
	for {
		e.notices.mu.Lock()
		text := strings.Join(e.notices.waiting, " ")
		e.notices.waiting = nil
		e.notices.sending = text != ""
		e.notices.mu.Unlock()
		if text == "" {
			return
		}
		ctx, cancel := patience()
		_, _ = e.readers.ExecContext(ctx, `SELECT pg_notify($1, $2)`, noticeChannel, e.notices.from+" "+text) // lost: others look by themselves
		cancel()
		time.Sleep(noticePause)
	}
}

func (e *postgres) listen(ctx context.Context, hear func(rota.Notice)) error {
	if e.pooled {
		<-ctx.Done()
		return nil
	}
	for {
		e.listenOnce(ctx, hear)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(listenPause):
		}
	}
}

// listenOnce listens until the connection breaks. It is looked after now and then: one that died without a word would be
// listened to for ever.
func (e *postgres) listenOnce(ctx context.Context, hear func(rota.Notice)) {
	conn, err := pgx.ConnectConfig(ctx, e.conf)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+noticeChannel); err != nil {
		return
	}
	for _, n := range rota.Notices { // what was told before
		hear(n)
	}
	for {
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		told, err := conn.WaitForNotification(wait)
		quiet := wait.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil && !(quiet && e.answers(ctx, conn)) {
			return
		}
		if err != nil {
			continue
		}
		words := strings.Fields(told.Payload)
		if len(words) == 0 || words[0] == e.notices.from {
			continue
		}
		for _, w := range words[1:] {
			hear(rota.Notice(w))
		}
	}
}

func (e *postgres) answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, postgresPatience)
	defer cancel()
	return !conn.IsClosed() && conn.Ping(ctx) == nil
}
