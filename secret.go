package rota

import (
	"regexp"
	"strings"
	"time"
)

// Secret is something that jobs are given and nobody is shown.
type Secret struct {
	Name    string    `json:"name"`
	Owner   string    `json:"owner" doc:"who set it: only jobs of theirs, and of admins, may have it"`
	Changed time.Time `json:"changed"`
	Sealed  []byte    `json:"-"`
}

// SecretUse is how a job is given a secret.
type SecretUse struct {
	Name string `json:"name"`
	Var  string `json:"var,omitempty" doc:"the variable that holds it; default: its name"`
	File bool   `json:"file,omitempty" doc:"a file holds it, which ROTA_SECRET_NAME names"`
}

// SecretValue is a secret on its way to an attempt.
type SecretValue struct {
	SecretUse
	Value string `json:"value"`
}

const (
	MaxSecret  = 64 << 10 // bytes of a secret
	MaxSecrets = 32       // secrets of a job
)

var (
	secretName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9._-]{0,62}$`)
	varName    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// CheckSecretName refuses what cannot be a secret's name.
func CheckSecretName(name string) error {
	if !secretName.MatchString(name) {
		return Invalid("secret %q: a name has up to 63 letters, digits, '.', '_' and '-', a letter first", name)
	}
	return nil
}

// ParseSecretUse reads NAME, NAME=VAR or NAME=file.
func ParseSecretUse(text string) (SecretUse, error) {
	name, how, _ := strings.Cut(text, "=")
	u := SecretUse{Name: name}
	if how == "file" {
		u.File = true
	} else {
		u.Var = how
	}
	return u, u.check()
}

func (u SecretUse) check() error {
	if err := CheckSecretName(u.Name); err != nil {
		return err
	}
	if u.File {
		return nil
	}
	if v := u.Variable(); !varName.MatchString(v) || strings.HasPrefix(v, "ROTA_") {
		return Invalid("secret %s: %q is no name of a variable", u.Name, v).WithFix("--secret %s=NAME_OF_A_VARIABLE, or --secret %s=file", u.Name, u.Name)
	}
	return nil
}

// Variable is the variable that holds the secret.
func (u SecretUse) Variable() string {
	if u.Var == "" {
		return u.Name
	}
	return u.Var
}

func (s *Spec) checkSecrets() error {
	if len(s.Secrets) > MaxSecrets {
		return tooLarge("secrets", len(s.Secrets), MaxSecrets, "secrets")
	}
	for _, u := range s.Secrets {
		if err := u.check(); err != nil {
			return err
		}
	}
	return nil
}
