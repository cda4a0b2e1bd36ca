package server

import (
	"bytes"
	"errors"
	"testing"

	"github.com/rotaqueue/rota"
)

// TestSecretsAreSealedAndTheirOwners: the store never has the value, other submitters' jobs never get it, and a server with
// another key says so.
func TestSecretsAreSealedAndTheirOwners(t *testing.T) {
	store := openStore(t, nil)
	s := New(store, Options{SecretKey: bytes.Repeat([]byte{7}, 32)})
	as := func(name string, role rota.Role) rota.Principal { return rota.Principal{Name: name, Role: role} }
	kim := rota.WithPrincipal(t.Context(), as("kim", rota.RoleSubmitter))
	lee := rota.WithPrincipal(t.Context(), as("lee", rota.RoleSubmitter))
	open(t, s, "n")
	if err := s.PutSecret(kim, "db", "hush"); err != nil {
		t.Fatal(err)
	}
	kept, err := store.Secrets(t.Context(), []string{"db"})
	if err != nil || len(kept) != 1 || bytes.Contains(kept[0].Sealed, []byte("hush")) {
		t.Fatalf("kept %+v, %v", kept, err)
	}
	if seen, err := s.Secrets(lee); err != nil || len(seen) != 0 {
		t.Errorf("another sees %+v, %v", seen, err)
	}
	if seen, err := s.Secrets(kim); err != nil || len(seen) != 1 || seen[0].Sealed != nil {
		t.Errorf("its owner sees %+v, %v", seen, err)
	}
	job := rota.Submission{Spec: rota.Spec{Argv: []string{"true"}, Secrets: []rota.SecretUse{{Name: "db", Var: "PW"}}}}
	if _, err := s.Submit(lee, job); !errors.Is(err, rota.ErrNotFound) {
		t.Errorf("another's job: %v", err)
	}
	if err := s.PutSecret(lee, "db", "mine"); !errors.Is(err, rota.ErrDenied) {
		t.Errorf("another changed it: %v", err)
	}
	if err := s.DropSecret(lee, "db"); !errors.Is(err, rota.ErrDenied) {
		t.Errorf("another removed it: %v", err)
	}
	for range 2 {
		if _, err := s.Submit(kim, job); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Exchange(admin, rota.Exchange{Session: "n", Seq: 1, Claim: rota.Claim{Max: 1}})
	if err != nil || len(got.Claimed) != 1 || len(got.Claimed[0].Secrets) != 1 || got.Claimed[0].Secrets[0].Value != "hush" || got.Claimed[0].Refuse != "" {
		t.Errorf("claimed %+v, %v", got, err)
	}
	other := New(store, Options{SecretKey: bytes.Repeat([]byte{8}, 32)})
	got, err = other.Exchange(admin, rota.Exchange{Session: "n", Seq: 2, Claim: rota.Claim{Max: 1}})
	if err != nil || len(got.Claimed) != 1 || got.Claimed[0].Secrets != nil || got.Claimed[0].Refuse == "" {
		t.Errorf("with another key: %+v, %v", got, err)
	}
	if err := New(store, Options{}).PutSecret(kim, "x", "y"); !errors.Is(err, rota.ErrUnsupported) {
		t.Errorf("without a key: %v", err)
	}
}
