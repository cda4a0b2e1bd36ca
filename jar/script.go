package jar

import (
	"bytes"
	"strings"

	"github.com/rotaqueue/rota"
)

// Script is the text of a job that is a command: its words joined by single spaces, for a shell that expands no
// patterns of file names. What is quoted in the words is the shell's to read.
func Script(words []string) (string, error) {
	line := strings.Join(words, " ")
	if strings.TrimSpace(line) == "" {
		return "", rota.Invalid("nothing to run: the command is empty").WithFix("name a command, or a file with -f FILE")
	}
	return "#!/bin/sh -f\n" + line + "\n", nil
}

// HeadSize is how much of a file tells what runs it.
const HeadSize = 512

// NeedsShell reports whether a file that begins so is a text that does not say what runs it: a shell is to, as it is
// for whoever types its name.
func NeedsShell(head []byte) bool {
	return len(head) > 0 && !bytes.HasPrefix(head, []byte("#!")) && bytes.IndexByte(head[:min(len(head), HeadSize)], 0) < 0
}
