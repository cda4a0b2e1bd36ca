package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/rotaqueue/rota"
)

// limit is a row of the table of limits.
type limit struct {
	name string // of the constant
	what string
	most string
}

var limitRows = []limit{
	{"MaxBody", "one request to the API", size(rota.MaxBody)},
	{"MaxName", "a job's name", size(rota.MaxName)},
	{"MaxQueueName", "a queue's name", size(rota.MaxQueueName)},
	{"MaxLabels", "labels of a job", count(rota.MaxLabels)},
	{"MaxLabelKey", "a label's key", size(rota.MaxLabelKey)},
	{"MaxLabel", "a label's value", size(rota.MaxLabel)},
	{"MaxArg", "one argument, one entry of the environment", size(rota.MaxArg)},
	{"MaxArgs", "arguments and environment together", size(rota.MaxArgs)},
	{"MaxText", "a shell text or a script", size(rota.MaxText)},
	{"MaxStages", "stages of a pipeline", count(rota.MaxStages)},
	{"MaxTasks", "tasks of a job", count(rota.MaxTasks)},
	{"MaxIndex", "the index of an array's task", count(rota.MaxIndex)},
	{"MaxLine", "one line of a job with one task a line", size(rota.MaxLine)},
	{"MaxPartLines", "lines of one uploaded part", count(rota.MaxPartLines)},
	{"MaxPartBytes", "lines or input of one uploaded part", size(rota.MaxPartBytes)},
	{"MaxInput", "uploaded standard input of a job", size(rota.MaxInput)},
	{"MaxBlob", "a file that is kept for jobs", size(rota.MaxBlob)},
	{"MaxArtifactPatterns", "patterns of artifacts of a job", count(rota.MaxArtifactPatterns)},
	{"MaxArtifactName", "such a pattern, and an artifact's name", size(rota.MaxArtifactName)},
	{"MaxArtifacts", "artifacts of an attempt", count(rota.MaxArtifacts)},
	{"MaxArtifactBytes", "all artifacts of an attempt together", size(rota.MaxArtifactBytes)},
	{"MaxProgram", "a program that is submitted with its job", size(rota.MaxProgram)},
	{"MaxError", "what a failed attempt tells of its last line", size(rota.MaxError)},
	{"MaxAfter", "jobs that a job waits for", count(rota.MaxAfter)},
	{"MaxStages", "stages of a pipeline", count(rota.MaxStages)},
	{"MaxKey", "an idempotency key", size(rota.MaxKey)},
	{"MaxRetries", "retries, and lost attempts that are tried again", count(rota.MaxRetries)},
	{"MaxPriority", "priority, and as far below zero", count(rota.MaxPriority)},
	{"MaxCPUs", "CPUs of an attempt", count(rota.MaxCPUs)},
	{"MaxPIDs", "processes of an attempt", count(rota.MaxPIDs)},
	{"MaxNice", "niceness of an attempt, from " + fmt.Sprint(rota.MinNice), count(rota.MaxNice)},
	{"MaxWait", "a call to the API that waits", rota.MaxWait.String()},
	{"MaxReturns", "give-backs of a task before it is held", count(rota.MaxReturns)},
	{"MaxCrashes", "times that its keeper or machine goes away under a task before it runs alone; the next time it is held", count(rota.MaxCrashes)},
}

// limits are all limits. A constant that begins with Max and has no row is an error.
func limits() (string, error) {
	described := map[string]bool{"MaxJobID": true} // of the numbers themselves, not of what may be asked
	var rows [][]string
	for _, l := range limitRows {
		described[l.name] = true
		rows = append(rows, []string{l.what, l.most})
	}
	for _, file := range []string{"limit.go", "id.go", "retry.go"} {
		names, err := constants("../../" + file)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			if strings.HasPrefix(name, "Max") && !described[name] {
				return "", fmt.Errorf("the limit %s of %s has no row in docs/gen/limits.go", name, file)
			}
		}
	}
	return table([]string{"limit of", "at most"}, rows), nil
}

func constants(file string) (names []string, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			for _, n := range s.(*ast.ValueSpec).Names {
				names = append(names, n.Name)
			}
		}
	}
	return names, nil
}

func size(n int) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return count(n) + " bytes"
}

// count is a number with its thousands apart.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
