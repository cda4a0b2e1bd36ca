// Package courier brings events to where they are told: mail by SMTP or sendmail, and webhooks. It makes no choice of its
// own of who is told what, and when: that is the server's.
//
// It touches connections to mail servers and webhooks, and sendmail.
package courier

import (
	"context"
	"strings"

	"github.com/rotaqueue/rota"
)

// Options say by which ways events are brought. The zero value brings webhooks that are not signed, and no mail.
type Options struct {
	Mail Mail
	// Key signs webhooks; empty: they are not signed.
	Key []byte
	// Private lets webhooks go to addresses that are not public: of this machine, its network, or its cloud.
	Private bool
}

// Courier brings events.
type Courier struct {
	mail  Mail
	hooks *hooks
}

// New makes a courier.
func New(o Options) *Courier { return &Courier{o.Mail, newHooks(o.Key, o.Private)} }

// Deliver brings events to a place, of rota.Letter. Several to an address are one mail; to a webhook goes one alone.
func (c *Courier) Deliver(ctx context.Context, place string, events []rota.Event) error {
	if to, is := strings.CutPrefix(place, rota.MailPlace); is {
		return c.mail.send(ctx, to, events)
	}
	for i := range events {
		if err := c.hooks.post(ctx, place, &events[i]); err != nil {
			return err
		}
	}
	return nil
}
