package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/jar"
)

// Labels of the jobs of a jar.
const (
	labelJar      = "jar"
	labelCategory = "category"
	labelClaim    = "jar-claim"
)

// submit makes the claimed job one of the store's, unless it is one already.
func (h *hold) submit(ctx context.Context) error {
	key, err := h.claim.Key(freshKey)
	if err != nil {
		return err
	}
	// It is found by its label: what it was submitted with may depend on settings that have changed since.
	found, err := h.Service.Jobs(ctx, rota.JobQuery{Filter: rota.Filter{Labels: map[string]string{labelClaim: key}}, Max: 1})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		h.job = found[0].ID
		return nil
	}
	got, err := h.Service.Submit(ctx, rota.Submission{Key: labelClaim + "-" + key, Spec: h.spec(key)})
	h.job = got.Job
	return err
}

func freshKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// run is the text around a job: the scratch folder has the name that jobs of a jar know it by. A shell also runs what
// does not say what runs it.
const run = `JJ_SCRATCH_DIR=$ROTA_SCRATCH_DIR; export JJ_SCRATCH_DIR; exec "$0"`

func (h *hold) spec(key string) rota.Spec {
	c, never := h.claim, 0
	labels := map[string]string{labelJar: cut(h.Home, rota.MaxLabel), labelClaim: key}
	if c.Category != "" {
		labels[labelCategory] = cut(c.Category, rota.MaxLabel)
	}
	// JJ_SCRATCH_DIR is known only when it runs.
	env := append(append([]string{}, h.Options.Env...), jar.Env(h.Jar, h.Settings.Node, c, "")...)
	return rota.Spec{Name: cut(c.Name, rota.MaxName), Queue: "@" + h.Node, Labels: labels,
		Priority: max(min(c.Priority, rota.MaxPriority), -rota.MaxPriority), Argv: []string{"/bin/sh", "-c", run, c.Path()}, Env: env,
		Timeout: h.Settings.Timeout, Grace: h.Settings.Grace, Limits: h.Settings.Limits, Retry: &rota.Retry{Count: &never}}
}

// cut makes a text short enough, and one line.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, text), "_")
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
