package rota

import (
	"strings"
	"unicode"
)

// StageSign stands between the commands of a pipeline where they are written as one line; doubled it is an argument.
const StageSign = ":"

// Command is what a job runs, as one would type it; of a script and a blob, which one.
func (s *Spec) Command() string {
	switch {
	case s.Shell != "":
		return strings.TrimSpace(s.Shell)
	case s.Blob != "":
		return strings.TrimSpace(string(s.Blob[:min(len(s.Blob), 12)]) + " " + Quoted(s.Argv))
	case s.Script != "":
		first, _, _ := strings.Cut(s.Script, "\n")
		return strings.TrimSpace("script " + first)
	case len(s.Pipe) > 0:
		return PipeLine(s.Pipe)
	}
	return Quoted(s.Argv)
}

// PipeLine is a pipeline as it is written.
func PipeLine(stages [][]string) string {
	texts := make([]string, len(stages))
	for i, argv := range stages {
		words := make([]string, len(argv))
		for k, arg := range argv {
			if arg == StageSign {
				arg = StageSign + StageSign
			}
			words[k] = arg
		}
		texts[i] = Quoted(words)
	}
	return strings.Join(texts, " "+StageSign+" ")
}

// Quoted are words as a shell takes them.
func Quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !plainInShell(r) }) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}

func plainInShell(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-./:=,@%+{}", r)
}
