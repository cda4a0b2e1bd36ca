package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/courier"
)

// openTelling reads the files that courier and secrets need.
func (w *whole) openTelling() error {
	c := w.d.conf
	o := courier.Options{Mail: courier.Mail{Server: c.Mail.SMTP, Sendmail: c.Mail.Sendmail, From: c.Mail.From}, Private: c.Notify.Private}
	if c.Mail.SMTP != "" {
		if err := courier.CheckServer(c.Mail.SMTP); err != nil {
			return err
		}
	}
	password, err := secretFile("mail.password-file", c.Mail.PasswordFile)
	if err != nil {
		return err
	}
	o.Mail.Password = string(password)
	if o.Key, err = secretFile("notify.key-file", c.Notify.KeyFile); err != nil {
		return err
	}
	w.courier = courier.New(o)
	w.sealing, err = w.sealingKey()
	return err
}

// secretFile is what a file of a setting holds, without a line end.
func secretFile(setting, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "%s: %v", setting, err)
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return nil, rota.Invalid("%s: %s is empty", setting, path)
	}
	return text, nil
}

// sealingKey is the key that seals secrets. A store in the data folder has its own, made when it is first asked for; one
// that several nodes share has the file that all of them name.
func (w *whole) sealingKey() ([]byte, error) {
	c := w.d.conf
	text, err := secretFile("secrets.key", c.Secrets.Key)
	if err != nil {
		return nil, err
	}
	if text == nil {
		if c.Store != "" {
			return nil, nil
		}
		if text, err = ownKey(w.d.folder.file("secrets.key")); err != nil {
			return nil, unusable(w.d.folder.path, err)
		}
	}
	if len(text) < 32 {
		return nil, rota.Invalid("secrets.key: has %d bytes, and needs 32", len(text)).WithFix("head -c 32 /dev/urandom | base64 > FILE")
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

func ownKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) >= 32 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bytes.TrimRight(text, "\r\n"), err
	}
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	text = []byte(hex.EncodeToString(raw))
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return nil, err
	}
	return text, os.Rename(path+".new", path)
}
