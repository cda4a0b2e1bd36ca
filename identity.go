package rota

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// UniqueWork is the identity of a job that is compared by what it runs.
const UniqueWork = "work"

// Identity is what a submission is compared by with others of its queue, D9: the name that it gives itself, or what it
// runs. That is executor, command, text or script, folder, standard input, array and lines; not name, labels, environment,
// priority, time and limits. It is empty for one that is not compared, which by itself is one that does not say unique.
func (s *Submission) Identity(by string) string {
	if by != UniqueWork {
		return by
	}
	if s.More { // what it will have done is not known yet
		return ""
	}
	spec := &s.Spec
	text, err := json.Marshal(struct {
		Executor, Shell, Script, Blob, Dir, Stdin, User string
		Argv, Lines, Interpreter                        []string
		Pipe                                            [][]string
		Array                                           *Array
		Input                                           []byte
	}{spec.Executor, spec.Shell, spec.Script, string(spec.Blob), spec.Dir, spec.Stdin, spec.User, spec.Argv, s.Lines, spec.Interpreter, spec.Pipe, spec.Array, s.Input})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return "work " + hex.EncodeToString(sum[:])
}
