package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/rotaqueue/rota"
)

// What a password's hash is made with: argon2id as OWASP recommends it, some 20 ms and 19 MiB.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// passwords checks passwords, few at a time: who floods the login takes no more of the machine than that.
type passwords struct {
	turn    chan struct{}
	waiting chan struct{}

	mu     sync.Mutex
	failed map[string]failures // by the name that was given
}

// failures are wrong passwords in a row.
type failures struct {
	n     int
	until time.Time // before that none is looked at
}

const (
	loginsAtOnce  = 1
	loginsWaiting = 16
	freeFailures  = 5                // before the first pause
	longestPause  = 30 * time.Second // a name that somebody else keeps guessing at is never shut out for longer
	mostFailures  = 10_000           // names that are remembered
)

func newPasswords() *passwords {
	return &passwords{turn: make(chan struct{}, loginsAtOnce), waiting: make(chan struct{}, loginsWaiting), failed: map[string]failures{}}
}

var errBadLogin = rota.Errorf(rota.ErrUnauthenticated, "login: no such user, or not this password")

// take waits for a turn.
func (p *passwords) take(ctx context.Context) (done func(), err error) {
	select {
	case p.waiting <- struct{}{}:
	default:
		return nil, rota.Errorf(rota.ErrUnavailable, "login: too many at the same time").WithFix("try again")
	}
	defer func() { <-p.waiting }()
	select {
	case p.turn <- struct{}{}:
		return func() { <-p.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash makes the text that is stored of a password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	done, err := p.take(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails
	return written(salt, argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)), nil
}

func written(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// decoy is compared with where there is no user or no password: that takes as long, and never fits.
var decoy = written(make([]byte, argonSalt), make([]byte, argonKey))

// check compares a password with what is stored; an empty text fits none. How long it takes says nothing.
func (p *passwords) check(ctx context.Context, name, password, stored string) error {
	if err := p.pause(name, time.Now()); err != nil {
		return err
	}
	done, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	text := stored
	if text == "" {
		text = decoy
	}
	fits := fits(password, text) && stored != ""
	p.note(name, fits, time.Now())
	if !fits {
		return errBadLogin
	}
	return nil
}

func fits(password, stored string) bool {
	var version, memory, passes, lanes int
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
	_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
	salt, err3 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err4 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || version != argon2.Version || passes < 1 || lanes < 1 || len(key) == 0 {
		return false
	}
	is := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(key)))
	return subtle.ConstantTimeCompare(is, key) == 1
}

// pause refuses to look at a password while a name has had too many wrong ones.
func (p *passwords) pause(name string, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.failed[name].until.Sub(now); left > 0 {
		return rota.Errorf(rota.ErrUnavailable, "login of %s: too many wrong passwords", name).WithFix("try again in %v", left.Round(time.Second)+time.Second)
	}
	return nil
}

func (p *passwords) note(name string, right bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if right {
		delete(p.failed, name)
		return
	}
	if len(p.failed) >= mostFailures {
		clear(p.failed)
	}
	f := p.failed[name]
	if f.n++; f.n > freeFailures {
		f.until = now.Add(min(time.Second<<min(f.n-freeFailures-1, 10), longestPause))
	}
	p.failed[name] = f
}
