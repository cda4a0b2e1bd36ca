package rota_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// plain is a submission that is right; each case below changes one thing.
func plain(change func(*rota.Submission)) rota.Submission {
	s := rota.Submission{Spec: rota.Spec{Argv: []string{"true"}}}
	if change != nil {
		change(&s)
	}
	return s
}

func many[T any](n int, one func(i int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = one(i)
	}
	return all
}

func labels(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	return m
}

func TestResolveTakesWhatIsRight(t *testing.T) {
	for name, change := range map[string]func(*rota.Submission){
		"plain":              nil,
		"shell":              func(s *rota.Submission) { s.Spec = rota.Spec{Shell: "echo {line}"} },
		"shell with argv":    func(s *rota.Submission) { s.Spec.Shell = `echo "$1"` },
		"script with argv":   func(s *rota.Submission) { s.Spec.Script = "#!/bin/sh\n" },
		"named executor":     func(s *rota.Submission) { s.Spec.Executor = rota.ExecutorExec },
		"longest name":       func(s *rota.Submission) { s.Spec.Name = strings.Repeat("n", rota.MaxName) },
		"name with anything": func(s *rota.Submission) { s.Spec.Name = "größe 3/4 [x] 'y'" },
		"longest queue":      func(s *rota.Submission) { s.Spec.Queue = strings.Repeat("q", rota.MaxQueueName) },
		"node's queue":       func(s *rota.Submission) { s.Spec.Queue = "@node-1.example" },
		"all labels":         func(s *rota.Submission) { s.Spec.Labels = labels(rota.MaxLabels) },
		"longest label": func(s *rota.Submission) {
			s.Spec.Labels = map[string]string{strings.Repeat("k", rota.MaxLabelKey): strings.Repeat("v", rota.MaxLabel)}
		},
		"empty label":       func(s *rota.Submission) { s.Spec.Labels = map[string]string{"team/a.b_c-d": ""} },
		"highest priority":  func(s *rota.Submission) { s.Spec.Priority = rota.MaxPriority },
		"lowest priority":   func(s *rota.Submission) { s.Spec.Priority = -rota.MaxPriority },
		"longest key":       func(s *rota.Submission) { s.Key = strings.Repeat("k", rota.MaxKey) },
		"longest argument":  func(s *rota.Submission) { s.Spec.Argv = []string{"x", strings.Repeat("a", rota.MaxArg)} },
		"empty argument":    func(s *rota.Submission) { s.Spec.Argv = []string{"x", ""} },
		"environment":       func(s *rota.Submission) { s.Spec.Env = []string{"A=", "B=c=d", "C=\n"} },
		"folder":            func(s *rota.Submission) { s.Spec.Dir = "/" },
		"files":             func(s *rota.Submission) { s.Spec.Out, s.Spec.Err, s.Spec.Stdin = "%j.out", "%j.out", "in" },
		"array":             func(s *rota.Submission) { s.Spec.Array = ranges("1-1000"); s.Spec.Limit = 50 },
		"largest array":     func(s *rota.Submission) { s.Spec.Array = ranges("0-9999999") },
		"array with {task}": func(s *rota.Submission) { s.Spec.Array = ranges("1-3"); s.Spec.Argv = []string{"x", "{task}"} },
		"lines":             func(s *rota.Submission) { s.Spec.Lines = true; s.Lines = []string{"", "a b", "ü"}; s.Spec.Limit = 1 },
		"lines to come":     func(s *rota.Submission) { s.Spec.Lines = true; s.More = true },
		"line in argv": func(s *rota.Submission) {
			s.Spec.Lines, s.Lines, s.Spec.Argv = true, []string{"a"}, []string{"x", "{line}"}
		},
		"{line} as text": func(s *rota.Submission) { s.Spec.Argv = []string{"x", "{line}"} },
		"longest line":   func(s *rota.Submission) { s.Spec.Lines, s.Lines = true, []string{strings.Repeat("l", rota.MaxLine)} },
		"all lines of a part": func(s *rota.Submission) {
			s.Spec.Lines, s.Lines = true, many(rota.MaxPartLines, func(int) string { return "l" })
		},
		"input":         func(s *rota.Submission) { s.Input = make([]byte, rota.MaxPartBytes) },
		"input to come": func(s *rota.Submission) { s.More = true },
		"not before":    func(s *rota.Submission) { s.Spec.At = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) },
		"after many":    func(s *rota.Submission) { s.Spec.After = many(rota.MaxAfter, after(rota.AfterOK)) },
		"after any":     func(s *rota.Submission) { s.Spec.After = many(1, after(rota.AfterAny)) },
		"after fail":    func(s *rota.Submission) { s.Spec.After = many(1, after(rota.AfterFail)) },
		"no retries":    func(s *rota.Submission) { s.Spec.Retry = &rota.Retry{Count: new(int), MaxLost: new(int)} },
		"on lost":       func(s *rota.Submission) { s.Spec.Retry = &rota.Retry{OnLost: rota.LostFail} },
		"limits": func(s *rota.Submission) {
			s.Spec.Limits = rota.Limits{Memory: rota.MinMemory, CPUs: rota.MinCPUs, PIDs: 1, Nice: rota.MinNice}
		},
		"widest limits": func(s *rota.Submission) {
			s.Spec.Limits = rota.Limits{Memory: math.MaxInt64, CPUs: rota.MaxCPUs, PIDs: rota.MaxPIDs, Nice: rota.MaxNice}
		},
		"on store loss":  func(s *rota.Submission) { s.Spec.OnStoreLoss = "1m30s" },
		"longest script": func(s *rota.Submission) { s.Spec = rota.Spec{Script: strings.Repeat("s", rota.MaxText)} },
	} {
		s := plain(change)
		if err := s.Resolve(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ranges(s string) *rota.Array {
	a, _, err := rota.ParseArray(s)
	if err != nil {
		panic(err)
	}
	return a
}

func after(w rota.When) func(int) rota.Dependency {
	return func(i int) rota.Dependency { return rota.Dependency{Job: rota.JobID(i + 1), When: w} }
}

func TestResolveRefusesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		kind   error
		change func(*rota.Submission)
	}{
		"nothing to run":         {rota.ErrInvalid, func(s *rota.Submission) { s.Spec = rota.Spec{} }},
		"empty command":          {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Argv = []string{""} }},
		"shell and script":       {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Shell, s.Spec.Script = "x", "y" }},
		"unknown executor":       {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Executor = "http" }},
		"executor without text":  {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Executor = rota.ExecutorShell }},
		"executor of other text": {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Executor, s.Spec.Script = rota.ExecutorShell, "x" }},
		"exec with shell text":   {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Executor, s.Spec.Shell = rota.ExecutorExec, "x" }},
		"NUL in shell":           {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Shell = "a\x00b" }},
		"NUL in argument":        {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Argv = []string{"a", "\x00"} }},
		"long shell":             {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Shell = strings.Repeat("s", rota.MaxText+1) }},
		"long script":            {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec = rota.Spec{Script: strings.Repeat("s", rota.MaxText+1)} }},
		"long name":              {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Name = strings.Repeat("n", rota.MaxName+1) }},
		"control in name":        {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Name = "a\x1b[31m" }},
		"line end in name":       {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Name = "a\n" }},
		"long queue":             {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = strings.Repeat("q", rota.MaxQueueName+1) }},
		"space in queue":         {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = "a b" }},
		"pattern as queue":       {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = "*" }},
		"exclusion as queue":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = "!a" }},
		"list as queue":          {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = "a,b" }},
		"line end in queue":      {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Queue = "a\n" }},
		"many labels":            {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Labels = labels(rota.MaxLabels + 1) }},
		"no label key":           {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Labels = map[string]string{"": "v"} }},
		"label key":              {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Labels = map[string]string{"a=b": "v"} }},
		"long label":             {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Labels = map[string]string{"a": strings.Repeat("v", rota.MaxLabel+1)} }},
		"priority":               {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Priority = rota.MaxPriority + 1 }},
		"low priority":           {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Priority = -rota.MaxPriority - 1 }},
		"relative folder":        {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Dir = "x" }},
		"NUL in a path":          {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Out = "a\x00" }},
		"long path":              {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Err = strings.Repeat("p", 4096) }},
		"environment without =":  {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Env = []string{"A"} }},
		"environment, no key":    {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Env = []string{"=x"} }},
		"NUL in environment":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Env = []string{"A=\x00"} }},
		"environment of Rota":    {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Env = []string{"ROTA_X=1"} }},
		"long environment":       {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Env = []string{"A=" + strings.Repeat("x", rota.MaxArg)} }},
		"long argument":          {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Argv = []string{"x", strings.Repeat("a", rota.MaxArg+1)} }},
		"all arguments": {rota.ErrTooLarge, func(s *rota.Submission) {
			s.Spec.Argv = many(9, func(int) string { return strings.Repeat("a", rota.MaxArg) })
		}},
		"arguments and environment": {rota.ErrTooLarge, func(s *rota.Submission) {
			s.Spec.Argv = many(5, func(int) string { return strings.Repeat("a", rota.MaxArg) })
			s.Spec.Env = many(5, func(i int) string { return fmt.Sprint("A", i, "=", strings.Repeat("a", rota.MaxArg-10)) })
		}},
		"long key":      {rota.ErrTooLarge, func(s *rota.Submission) { s.Key = strings.Repeat("k", rota.MaxKey+1) }},
		"many after":    {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.After = many(rota.MaxAfter+1, after(rota.AfterOK)) }},
		"after when":    {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.After = many(1, after("never")) }},
		"after nothing": {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.After = []rota.Dependency{{When: rota.AfterOK}} }},
		"after job too great": {rota.ErrInvalid, func(s *rota.Submission) {
			s.Spec.After = []rota.Dependency{{Job: rota.MaxJobID + 1, When: rota.AfterOK}}
		}},
		"long ago":            {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.At = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"far away":            {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"negative retries":    {rota.ErrInvalid, func(s *rota.Submission) { n := -1; s.Spec.Retry = &rota.Retry{Count: &n} }},
		"many retries":        {rota.ErrInvalid, func(s *rota.Submission) { n := rota.MaxRetries + 1; s.Spec.Retry = &rota.Retry{Count: &n} }},
		"negative max lost":   {rota.ErrInvalid, func(s *rota.Submission) { n := -1; s.Spec.Retry = &rota.Retry{MaxLost: &n} }},
		"on lost":             {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Retry = &rota.Retry{OnLost: "panic"} }},
		"array and lines":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Array, s.Spec.Lines, s.Lines = ranges("1"), true, []string{"a"} }},
		"limit of one task":   {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Limit = 1 }},
		"negative limit":      {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Array, s.Spec.Limit = ranges("1-3"), -1 }},
		"empty array":         {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Array = &rota.Array{} }},
		"falling array":       {rota.ErrInvalid, array(rota.Range{First: 5, Last: 6}, rota.Range{First: 6, Last: 7})},
		"backward range":      {rota.ErrInvalid, array(rota.Range{First: 5, Last: 4})},
		"negative index":      {rota.ErrInvalid, array(rota.Range{First: -1, Last: 4})},
		"negative step":       {rota.ErrInvalid, array(rota.Range{First: 1, Last: 4, Step: -1})},
		"index too great":     {rota.ErrInvalid, array(rota.Range{First: 1, Last: rota.MaxIndex + 1, Step: 1000})},
		"many ranges":         {rota.ErrInvalid, array(many(1001, func(i int) rota.Range { return rota.Range{First: i, Last: i} })...)},
		"many tasks":          {rota.ErrTooLarge, array(rota.Range{First: 0, Last: rota.MaxTasks})},
		"{line} in an array":  {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Array, s.Spec.Argv = ranges("1-3"), []string{"x", "{line}"} }},
		"{line} in shell":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec = rota.Spec{Shell: "x {line}", Lines: true}; s.Lines = []string{"a"} }},
		"{task} in shell":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec = rota.Spec{Shell: "x {task}", Array: ranges("1-3")} }},
		"lines not asked for": {rota.ErrInvalid, func(s *rota.Submission) { s.Lines = []string{"a"} }},
		"no lines":            {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Lines = true }},
		"long line":           {rota.ErrTooLarge, func(s *rota.Submission) { s.Spec.Lines, s.Lines = true, []string{strings.Repeat("l", rota.MaxLine+1)} }},
		"NUL in a line":       {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Lines, s.Lines = true, []string{"a\x00"} }},
		"line end in a line":  {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.Lines, s.Lines = true, []string{"a\nb"} }},
		"many lines": {rota.ErrTooLarge, func(s *rota.Submission) {
			s.Spec.Lines, s.Lines = true, many(rota.MaxPartLines+1, func(int) string { return "" })
		}},
		"much in lines": {rota.ErrTooLarge, func(s *rota.Submission) {
			s.Spec.Lines, s.Lines = true, many(17, func(int) string { return strings.Repeat("l", rota.MaxLine) })
		}},
		"much input":        {rota.ErrTooLarge, func(s *rota.Submission) { s.Input = make([]byte, rota.MaxPartBytes+1) }},
		"little memory":     {rota.ErrInvalid, limits(rota.Limits{Memory: rota.MinMemory - 1})},
		"negative memory":   {rota.ErrInvalid, limits(rota.Limits{Memory: -1})},
		"few CPUs":          {rota.ErrInvalid, limits(rota.Limits{CPUs: 0.009})},
		"many CPUs":         {rota.ErrInvalid, limits(rota.Limits{CPUs: 1024.01})},
		"negative CPUs":     {rota.ErrInvalid, limits(rota.Limits{CPUs: -1})},
		"CPUs NaN":          {rota.ErrInvalid, limits(rota.Limits{CPUs: math.NaN()})},
		"CPUs infinite":     {rota.ErrInvalid, limits(rota.Limits{CPUs: math.Inf(1)})},
		"negative PIDs":     {rota.ErrInvalid, limits(rota.Limits{PIDs: -1})},
		"many PIDs":         {rota.ErrInvalid, limits(rota.Limits{PIDs: rota.MaxPIDs + 1})},
		"too nice":          {rota.ErrInvalid, limits(rota.Limits{Nice: 20})},
		"not nice":          {rota.ErrInvalid, limits(rota.Limits{Nice: -21})},
		"on all":            {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.On = "all" }},
		"on store loss":     {rota.ErrInvalid, func(s *rota.Submission) { s.Spec.OnStoreLoss = "panic" }},
		"input beside file": {rota.ErrInvalid, func(s *rota.Submission) { s.Input, s.Spec.Stdin = []byte("x"), "f" }},
		"input with lines":  {rota.ErrInvalid, func(s *rota.Submission) { s.Input, s.Spec.Lines, s.Lines = []byte("x"), true, []string{"a"} }},
		"more beside file":  {rota.ErrInvalid, func(s *rota.Submission) { s.More, s.Spec.Stdin = true, "f" }},
	} {
		s := plain(c.change)
		err := s.Resolve()
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
			continue
		}
		if text := err.Error(); text == "" || text[0] >= 'A' && text[0] <= 'Z' || strings.Contains(text, "%!") {
			t.Errorf("%s: the text is %q", name, text)
		}
	}
}

func limits(l rota.Limits) func(*rota.Submission) {
	return func(s *rota.Submission) { s.Spec.Limits = l }
}

func array(rs ...rota.Range) func(*rota.Submission) {
	return func(s *rota.Submission) { s.Spec.Array = &rota.Array{Ranges: rs} }
}

func TestResolveFillsIn(t *testing.T) {
	for want, spec := range map[string]rota.Spec{
		rota.ExecutorExec:   {Argv: []string{"x"}},
		rota.ExecutorShell:  {Shell: "x", Argv: []string{"y"}},
		rota.ExecutorScript: {Script: "#!/bin/sh\n"},
	} {
		s := rota.Submission{Spec: spec}
		if err := s.Resolve(); err != nil || s.Spec.Executor != want || s.Spec.Queue != rota.DefaultQueue || s.Spec.Grace != rota.DefaultGrace {
			t.Errorf("%+v: executor %q, queue %q, grace %v, %v", spec, s.Spec.Executor, s.Spec.Queue, s.Spec.Grace, err)
		}
	}
	s := plain(func(s *rota.Submission) { s.Spec.Queue, s.Spec.Grace = "q", 1 })
	if err := s.Resolve(); err != nil || s.Spec.Queue != "q" || s.Spec.Grace != 1 {
		t.Errorf("what was said is overridden: %+v, %v", s.Spec, err)
	}
}

func TestPartCheck(t *testing.T) {
	for name, c := range map[string]struct {
		part rota.Part
		kind error
	}{
		"lines":      {rota.Part{Number: 1, Lines: []string{"a", ""}}, nil},
		"empty end":  {rota.Part{Number: 7, Last: true}, nil},
		"number 0":   {rota.Part{Lines: []string{"a"}}, rota.ErrInvalid},
		"line end":   {rota.Part{Number: 1, Lines: []string{"a\n"}}, rota.ErrInvalid},
		"lines many": {rota.Part{Number: 1, Lines: many(rota.MaxPartLines+1, func(int) string { return "" })}, rota.ErrTooLarge},
		"input much": {rota.Part{Number: 1, Input: make([]byte, rota.MaxPartBytes+1)}, rota.ErrTooLarge},
	} {
		if err := c.part.Check(); !errors.Is(err, c.kind) || (err != nil) != (c.kind != nil) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
}
