package courier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/rotaqueue/rota"
)

// Mail says how mail is sent: by an SMTP server, or by sendmail.
type Mail struct {
	// Server is smtp://[USER@]HOST[:PORT], which is encrypted by STARTTLS, smtps:// which is from the beginning, or
	// smtp+plain:// which never is. Empty: there is none.
	Server   string
	Password string
	Sendmail string // the path of sendmail; empty: there is none
	From     string
	TLS      *tls.Config // nil: what the system trusts
}

const mailTimeout = 30 * time.Second

var errNoMail = rota.Errorf(rota.ErrUnsupported, "this node sends no mail").
	WithFix(`mail.smtp = "smtp://HOST", or mail.sendmail = "/usr/sbin/sendmail", in the node's settings`)

func (m *Mail) send(ctx context.Context, to string, events []rota.Event) error {
	if m.Server == "" && m.Sendmail == "" {
		return errNoMail
	}
	msg, err := m.compose(to, events)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	if m.Server == "" {
		return msg.WriteToSendmailWithContext(ctx, m.Sendmail, "-oi", "-t")
	}
	client, err := m.client()
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// compose writes the message. Its number is the first event's, so that one that comes twice is known.
func (m *Mail) compose(to string, events []rota.Event) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(m.From), msg.To(to)); err != nil {
		return nil, err
	}
	subject, text := letter(events)
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(fmt.Sprintf("%s.%d@rota", events[0].ID, len(events)))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's holiday answers it
	msg.SetBodyString(mail.TypeTextPlain, text)
	return msg, nil
}

// CheckServer refuses what is no mail server.
func CheckServer(server string) error {
	_, err := (&Mail{Server: server}).client()
	return err
}

func (m *Mail) client() (*mail.Client, error) {
	u, err := url.Parse(m.Server)
	if err != nil || u.Hostname() == "" {
		return nil, rota.Invalid("mail.smtp %q: not a mail server", m.Server).WithFix("write smtp://HOST, smtp://USER@HOST:587 or smtps://USER@HOST")
	}
	options := []mail.Option{mail.WithTimeout(mailTimeout)}
	port := 0
	switch u.Scheme {
	case "smtp":
		port, options = 587, append(options, mail.WithTLSPolicy(mail.TLSMandatory))
		if u.User == nil {
			port = 25
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic)) // it does not leave the machine
		}
	case "smtps":
		port, options = 465, append(options, mail.WithSSL())
	case "smtp+plain":
		port, options = 25, append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, rota.Invalid("mail.smtp %q: begins with smtp://, smtps:// or smtp+plain://", m.Server)
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, err
		}
	}
	options = append(options, mail.WithPort(port))
	if m.TLS != nil {
		options = append(options, mail.WithTLSConfig(m.TLS))
	}
	if user := u.User.Username(); user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(user), mail.WithPassword(m.Password))
	}
	return mail.NewClient(u.Hostname(), options...)
}
