package executor

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// Arguments are args with the placeholders of a task replaced: {task} by the element's index in a job of many tasks,
// {line} by the task's line in a job of one task a line. What is put in is plain text within its argument: it is not
// split, not run by a shell, and not searched for placeholders again. Elsewhere the words mean themselves.
//
// It is for arguments only, never for a text that a shell reads.
func Arguments(a *rota.Assignment, args []string) []string {
	if !a.Spec.Many() {
		return slices.Clip(args) // what a caller adds is not the spec's
	}
	words := []string{"{task}", strconv.Itoa(a.Task.Index())}
	if a.Spec.Lines {
		words = append(words, "{line}", a.Line)
	}
	fill := strings.NewReplacer(words...)
	filled := make([]string, len(args))
	for i, arg := range args {
		filled[i] = fill.Replace(arg)
	}
	return filled
}
