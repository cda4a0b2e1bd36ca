package server

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"github.com/rotaqueue/rota"
)

// PutSecret seals a secret and keeps it. It is the caller's: nobody else can change it or have it given to jobs, but for
// admins.
func (s *Server) PutSecret(ctx context.Context, name, value string) error {
	p, err := s.allow(ctx, "put secret")
	if err != nil {
		return err
	}
	if err := rota.CheckSecretName(name); err != nil {
		return err
	}
	if value == "" || len(value) > rota.MaxSecret {
		return rota.Invalid("secret %s: has %d bytes, and can have from 1 to %d", name, len(value), rota.MaxSecret)
	}
	x := rota.Secret{Name: name, Owner: p.Name}
	if x.Sealed, err = s.seal(&x, value); err != nil {
		return err
	}
	return s.outward(s.store.PutSecret(ctx, x))
}

// Secrets are the names of the caller's secrets; an admin sees those of all. What they hold, nobody is shown.
func (s *Server) Secrets(ctx context.Context) ([]rota.Secret, error) {
	p, err := s.allow(ctx, "secrets")
	if err != nil {
		return nil, err
	}
	all, err := s.store.Secrets(ctx, nil)
	if err != nil {
		return nil, s.outward(err)
	}
	var seen []rota.Secret
	for _, x := range all {
		if x.Owner == p.Name || p.Role == rota.RoleAdmin {
			x.Sealed = nil
			seen = append(seen, x)
		}
	}
	return seen, nil
}

// DropSecret removes a secret of the caller's; an admin any.
func (s *Server) DropSecret(ctx context.Context, name string) error {
	p, err := s.allow(ctx, "drop secret")
	if err != nil {
		return err
	}
	if p.Role != rota.RoleAdmin {
		x, err := s.store.Secrets(ctx, []string{name})
		if err != nil {
			return s.outward(err)
		}
		if len(x) == 1 && x[0].Owner != p.Name {
			return rota.Errorf(rota.ErrDenied, "secret %s: it is another's", name)
		}
	}
	return s.outward(s.store.DropSecret(ctx, name))
}

// sealer is what seals with the server's key.
func (s *Server) sealer() (cipher.AEAD, error) {
	if len(s.opts.SecretKey) == 0 {
		return nil, rota.Errorf(rota.ErrUnsupported, "this server has no key for secrets").
			WithFix("secrets.key = \"FILE\", in the settings of all nodes that share the store: the same 32 bytes or more for all of them")
	}
	block, err := aes.NewCipher(s.opts.SecretKey)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts a value, bound to its name and owner: no other row can be made of it.
func (s *Server) seal(x *rota.Secret, value string) ([]byte, error) {
	aead, err := s.sealer()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(value)+aead.Overhead())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, []byte(value), bound(x)), nil
}

func (s *Server) unseal(x *rota.Secret) (string, error) {
	aead, err := s.sealer()
	if err != nil {
		return "", err
	}
	n := aead.NonceSize()
	if len(x.Sealed) < n {
		return "", errors.New("is damaged")
	}
	text, err := aead.Open(nil, x.Sealed[:n], x.Sealed[n:], bound(x))
	if err != nil {
		return "", rota.Errorf(rota.ErrUnavailable, "secret %s: was sealed with another key", x.Name).WithFix("rota secret set %s, or give this node the key of the others: secrets.key", x.Name)
	}
	return string(text), nil
}

func bound(x *rota.Secret) []byte { return []byte("rota secret\x00" + x.Name + "\x00" + x.Owner) }

// mayUse refuses a job the secrets of others. The names of secrets that are not there and of those are told apart by nobody.
func (s *Server) mayUse(ctx context.Context, spec *rota.Spec, submitter string) ([]rota.Secret, error) {
	if len(spec.Secrets) == 0 {
		return nil, nil
	}
	names := make([]string, len(spec.Secrets))
	for i := range spec.Secrets {
		names[i] = spec.Secrets[i].Name
	}
	found, err := s.store.Secrets(ctx, names)
	if err != nil {
		return nil, err
	}
	byName := map[string]rota.Secret{}
	for _, x := range found {
		if x.Owner == submitter || spec.Caller != nil && spec.Caller.Admin && !spec.Caller.Fixed {
			byName[x.Name] = x
		}
	}
	all := make([]rota.Secret, len(names))
	for i, name := range names {
		x, ok := byName[name]
		if !ok {
			return nil, rota.Errorf(rota.ErrNotFound, "secret %s: there is none that jobs of %s may have", name, submitter).WithFix("rota secret set %s", name)
		}
		all[i] = x
	}
	return all, nil
}

// disclose gives claimed attempts their secrets. One that cannot have them says why, and is the job's failure.
func (s *Server) disclose(ctx context.Context, claimed []rota.Assignment) error {
	for i := range claimed {
		a := &claimed[i]
		if len(a.Spec.Secrets) == 0 {
			continue
		}
		found, err := s.mayUse(ctx, a.Spec, a.Submitter)
		if err != nil && !errors.Is(err, rota.ErrNotFound) {
			return err
		}
		a.Secrets = make([]rota.SecretValue, 0, len(found))
		for k := range found {
			value, failed := s.unseal(&found[k])
			err = errors.Join(err, failed)
			a.Secrets = append(a.Secrets, rota.SecretValue{SecretUse: a.Spec.Secrets[k], Value: value})
		}
		if err != nil {
			a.Secrets, a.Refuse = nil, err.Error()
		}
	}
	return nil
}
