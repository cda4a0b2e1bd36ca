package rota

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The limits of what can be submitted. The docs list them; what is over one is refused with its name and the limit.
const (
	MaxBody      = 4 << 20     // bytes of one request
	MaxName      = 128         // bytes of a job's name
	MaxQueueName = 63          // bytes of a queue's name
	MaxLabels    = 32          // labels of a job
	MaxLabelKey  = 63          // bytes
	MaxLabel     = 255         // bytes
	MaxArg       = 128<<10 - 1 // bytes of one argument or environment entry: Linux takes no more
	MaxArgs      = 1 << 20     // bytes of arguments and environment together
	MaxText      = 1 << 20     // bytes of a shell text or a script
	MaxStages    = 100         // stages of a pipeline
	MaxBlob      = 256 << 20   // bytes of a blob
	MaxProgram   = 2 << 20     // bytes of a program within a submission, decoded
	MaxTasks     = 10_000_000  // tasks of a job
	MaxLine      = 64 << 10    // bytes of one line
	MaxPartLines = 5_000       // lines of one part
	MaxPartBytes = 1 << 20     // bytes of one part's lines or input
	MaxInput     = 64 << 20    // bytes of uploaded standard input
	MaxAfter     = 1_000       // dependencies of a job
	MaxKey       = 255         // bytes of an idempotency key, and of a limit key
	MaxRetries   = 1_000
	MaxPriority  = 1_000_000_000 // and as far below zero
	MaxWait      = time.Minute   // of a call that waits
	MaxError     = 256           // bytes of the last line of a failed attempt

	MaxArtifactPatterns = 32        // patterns of files that a job has kept
	MaxArtifactName     = 1024      // bytes of such a pattern, and of a file's path in the working folder
	MaxArtifacts        = 256       // files of an attempt that are kept
	MaxArtifactBytes    = 256 << 20 // bytes of those together

	MinMemory = 1 << 20 // bytes of an attempt's limit of memory
	MinCPUs   = 0.01    // of an attempt's limit
	MaxCPUs   = 1024    // likewise
	MaxPIDs   = 4 << 20 // likewise: a kernel has no more
	MinNice   = -20
	MaxNice   = 19
)

var (
	queueName = regexp.MustCompile(`^@?[a-zA-Z0-9][a-zA-Z0-9._-]*$`)
	labelKey  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/-]*$`)
	userName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9._-]*\$?$`)
	envKey    = regexp.MustCompile(`^[^=\x00]+$`)
)

// Resolve fills in what a submission leaves to its default and refuses what is wrong, before anything is stored.
func (s *Submission) Resolve() error {
	if err := s.Spec.resolve(); err != nil {
		return err
	}
	switch {
	case len(s.Key) > MaxKey:
		return tooLarge("key", len(s.Key), MaxKey, "bytes")
	case len(s.Spec.Unique) > MaxKey:
		return tooLarge("unique", len(s.Spec.Unique), MaxKey, "bytes")
	case s.Spec.Unique == UniqueWork && s.More:
		return Invalid("unique: what is still to be uploaded cannot be compared").WithFix("give it a name: --unique=NAME")
	case len(s.Lines) > 0 && !s.Spec.Lines:
		return Invalid("lines were sent for a job that is not one task a line")
	case s.Spec.Lines && len(s.Lines) == 0 && !s.More:
		return Invalid("no lines: a job with one task a line needs at least one")
	case s.More && !s.Spec.Lines && s.Spec.Stdin != "":
		return Invalid("more parts announced, but standard input comes from the file %q", s.Spec.Stdin)
	case len(s.Input) > 0 && (s.Spec.Stdin != "" || s.Spec.Lines):
		return Invalid("input was sent for a job that does not take uploaded input")
	}
	return checkPart(s.Lines, s.Input)
}

// Check refuses a part that is wrong.
func (p *Part) Check() error {
	if p.Number < 1 {
		return Invalid("part %d: parts are numbered from 1", p.Number)
	}
	return checkPart(p.Lines, p.Input)
}

func checkPart(lines []string, input []byte) error {
	if len(lines) > MaxPartLines {
		return tooLarge("lines of one part", len(lines), MaxPartLines, "lines")
	}
	bytes := len(input)
	for i, l := range lines {
		if len(l) > MaxLine {
			return tooLarge(fmt.Sprintf("line %d", i+1), len(l), MaxLine, "bytes")
		}
		if strings.ContainsAny(l, "\x00\n") {
			return Invalid("line %d: a line cannot contain a NUL byte or a line end", i+1)
		}
		bytes += len(l)
	}
	if bytes > MaxPartBytes {
		return tooLarge("part", bytes, MaxPartBytes, "bytes")
	}
	return nil
}

func (s *Spec) resolve() error {
	if s.Queue == "" {
		s.Queue = DefaultQueue
	}
	if s.Grace == 0 {
		s.Grace = DefaultGrace
	}
	for _, check := range []func() error{s.checkNames, s.checkWhatRuns, s.checkFiles, s.checkArtifacts, s.checkEnv, s.checkWhen, s.checkMany,
		s.Limits.checkLimits, s.checkWhere, s.checkKey, s.OnStoreLoss.check, s.Tell.checkTell, s.checkSecrets} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) checkNames() error {
	if len(s.Name) > MaxName {
		return tooLarge("name", len(s.Name), MaxName, "bytes")
	}
	if strings.ContainsFunc(s.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Invalid("name %q: a name has no control characters", s.Name)
	}
	if err := CheckQueueName(s.Queue); err != nil {
		return err
	}
	if err := checkLabels(s.Labels); err != nil {
		return err
	}
	if s.Priority > MaxPriority || s.Priority < -MaxPriority {
		return Invalid("priority %d: outside -%d to %d", s.Priority, MaxPriority, MaxPriority)
	}
	return nil
}

func checkLabels(labels map[string]string) error {
	if len(labels) > MaxLabels {
		return tooLarge("labels", len(labels), MaxLabels, "labels")
	}
	for k, v := range labels {
		if !labelKey.MatchString(k) || len(k) > MaxLabelKey {
			return Invalid("label %q: a key has up to %d letters, digits, '.', '_', '/' and '-'", k, MaxLabelKey)
		}
		if len(v) > MaxLabel {
			return tooLarge(fmt.Sprintf("label %q", k), len(v), MaxLabel, "bytes")
		}
	}
	return nil
}

// CheckQueueName refuses what cannot be a queue's name.
func CheckQueueName(name string) error {
	if !queueName.MatchString(name) || len(name) > MaxQueueName {
		return Invalid("queue %q: a name has up to %d letters, digits, '.', '_' and '-'", name, MaxQueueName)
	}
	return nil
}

func (s *Spec) checkWhatRuns() error {
	given := 0
	for _, is := range []bool{s.Shell != "", s.Script != "", len(s.Pipe) > 0, s.Blob != ""} {
		if is {
			given++
		}
	}
	if s.Executor == "" {
		switch {
		case s.Shell != "":
			s.Executor = ExecutorShell
		case s.Script != "":
			s.Executor = ExecutorScript
		case len(s.Pipe) > 0:
			s.Executor = ExecutorPipeline
		case s.Blob != "":
			s.Executor = ExecutorBlob
		default:
			s.Executor = ExecutorExec
		}
	}
	wants := map[string]bool{ExecutorExec: given == 0 && len(s.Argv) > 0 && s.Argv[0] != "",
		ExecutorShell: given == 1 && s.Shell != "", ExecutorScript: given == 1 && s.Script != "",
		ExecutorPipeline: given == 1 && len(s.Pipe) > 0 && len(s.Argv) == 0, ExecutorBlob: given == 1 && s.Blob != ""}
	fits, known := wants[s.Executor]
	if !known {
		return Invalid("executor %q: this version has exec, shell, script, pipeline and blob", s.Executor)
	}
	if !fits {
		return Invalid("nothing to run: a job has either a command, a shell text, a script, a pipeline or a blob").
			WithFix("rota submit -- COMMAND ARG…, rota submit -c 'SHELL TEXT', or rota submit -f SCRIPT")
	}
	if len(s.Shell) > MaxText || len(s.Script) > MaxText {
		return tooLarge("shell text or script", max(len(s.Shell), len(s.Script)), MaxText, "bytes")
	}
	if strings.ContainsRune(s.Shell, 0) {
		return Invalid("shell text: cannot contain a NUL byte")
	}
	if err := s.checkStages(); err != nil {
		return err
	}
	if s.Blob != "" {
		if err := s.Blob.Check(); err != nil {
			return err
		}
	}
	return s.checkPlaceholders()
}

func (s *Spec) checkStages() error {
	if len(s.Pipe) == 1 || len(s.Pipe) > MaxStages {
		return Invalid("pipeline: has %d stages, and can have from 2 to %d", len(s.Pipe), MaxStages)
	}
	for i, stage := range s.Pipe {
		if len(stage) == 0 || stage[0] == "" {
			return Invalid("pipeline: stage %d is empty", i+1).WithFix("rota submit --pipe -- COMMAND ARG… : COMMAND ARG…")
		}
	}
	if len(s.Interpreter) > 0 && (s.Executor != ExecutorScript || s.Interpreter[0] == "") {
		return Invalid("interpreter: is what runs a script, and there is none").WithFix("rota submit --interpreter python3 -f SCRIPT")
	}
	if strings.ContainsRune(s.Path, 0) || len(s.Path) > MaxArg-5 {
		return Invalid("path: not a PATH")
	}
	return nil
}

func (s *Spec) checkPlaceholders() error {
	if s.Many() {
		for name, env := range map[string]string{"{line}": "$ROTA_LINE", "{task}": "$ROTA_TASK_INDEX"} {
			if strings.Contains(s.Shell, name) {
				return Invalid("shell text: %s is not replaced in shell text, where it would be run as code", name).
					WithFix("write \"%s\" in the text, or give the command as separate arguments", env)
			}
		}
	}
	if !s.Lines {
		for _, a := range slices.Concat(append(s.Pipe[:len(s.Pipe):len(s.Pipe)], s.Argv)...) {
			if s.Array != nil && strings.Contains(a, "{line}") {
				return Invalid("argument %q: {line} needs one task a line", a).WithFix("rota submit --each-line FILE -- COMMAND {line}")
			}
		}
	}
	return nil
}

func (s *Spec) checkFiles() error {
	for _, f := range []struct{ what, path string }{{"workdir", s.Dir}, {"stdin", s.Stdin}, {"out", s.Out}, {"err", s.Err}} {
		if len(f.path) > 4095 || strings.ContainsRune(f.path, 0) {
			return Invalid("%s: not a path", f.what)
		}
	}
	for _, n := range []struct{ what, name string }{{"user", s.User}, {"group", s.Group}} {
		if n.name != "" && (!userName.MatchString(n.name) || len(n.name) > MaxName) {
			return Invalid("%s %q: not a name", n.what, n.name)
		}
	}
	if s.Dir != "" && s.Dir[0] != '/' {
		return Invalid("workdir %q: must be absolute", s.Dir)
	}
	return nil
}

func (s *Spec) checkEnv() error {
	total := 0
	for _, a := range slices.Concat(append(s.Pipe[:len(s.Pipe):len(s.Pipe)], s.Argv, s.Interpreter)...) {
		if strings.ContainsRune(a, 0) {
			return Invalid("argument %q: cannot contain a NUL byte", a)
		}
		if len(a) > MaxArg {
			return tooLarge("one argument", len(a), MaxArg, "bytes").WithFix("put it into a file, or send it as standard input")
		}
		total += len(a) + 9
	}
	for _, e := range s.Env {
		key, value, ok := strings.Cut(e, "=")
		switch {
		case !ok || !envKey.MatchString(key) || strings.ContainsRune(value, 0):
			return Invalid("environment %q: write KEY=VALUE", key)
		case strings.HasPrefix(key, "ROTA_"):
			return Invalid("environment %q: names that begin with ROTA_ are Rota's own", key)
		case len(e) > MaxArg:
			return tooLarge(fmt.Sprintf("environment %q", key), len(e), MaxArg, "bytes")
		}
		total += len(e) + 9
	}
	if total > MaxArgs {
		return tooLarge("arguments and environment together", total, MaxArgs, "bytes").
			WithFix("put them into a file, send them as standard input, or use --env clean")
	}
	return nil
}

func (s *Spec) checkWhen() error {
	if len(s.After) > MaxAfter {
		return tooLarge("after", len(s.After), MaxAfter, "jobs")
	}
	for _, d := range s.After {
		switch d.When {
		case AfterOK, AfterAny, AfterFail:
		case AfterEach:
			if !s.Many() {
				return Invalid("after each:%v: this job is a single task, and has no elements to wait", d.Job).WithFix("write ok:%v", d.Job)
			}
		default:
			return Invalid("after %q: write ok:JOB, any:JOB, fail:JOB or each:JOB", d.When)
		}
		if d.Job < 1 || d.Job > MaxJobID {
			return Invalid("after %d: not a job's number", d.Job)
		}
	}
	if y := s.At.Year(); !s.At.IsZero() && (y < 1970 || y > 9999) {
		return Invalid("at %v: not a time within the years 1970 to 9999", s.At)
	}
	return s.Retry.check()
}

func (r *Retry) check() error {
	if r == nil {
		return nil
	}
	for _, n := range []*int{r.Count, r.MaxLost} {
		if n != nil && (*n < 0 || *n > MaxRetries) {
			return Invalid("retries %d: from 0 to %d", *n, MaxRetries)
		}
	}
	if r.Jitter != nil && !isShare(*r.Jitter) {
		return Invalid("jitter %v: a part of the wait, from 0 to 1", *r.Jitter)
	}
	if r.First < 0 || r.Cap < 0 {
		return Invalid("wait before a retry: is never negative")
	}
	if r.OnLost != "" && r.OnLost != LostRetry && r.OnLost != LostFail {
		return Invalid("on lost %q: write retry or fail", r.OnLost)
	}
	return nil
}

func (l Limits) checkLimits() error {
	switch {
	case l.Memory != 0 && l.Memory < MinMemory:
		return Invalid("mem %v: a process needs at least %v", Size(l.Memory), Size(MinMemory))
	case l.CPUs != 0 && !(l.CPUs >= MinCPUs && l.CPUs <= MaxCPUs): // NaN is neither
		return Invalid("cpus %v: from %v to %v", l.CPUs, MinCPUs, MaxCPUs)
	case l.PIDs < 0 || l.PIDs > MaxPIDs:
		return Invalid("pids %d: from 1 to %d", l.PIDs, MaxPIDs)
	case l.Nice < MinNice || l.Nice > MaxNice:
		return Invalid("nice %d: from %d to %d", l.Nice, MinNice, MaxNice)
	}
	return nil
}

// limits are the maxima as limits.
func (m Maxima) limits() Limits {
	l := Limits{Memory: m.Memory, CPUs: m.CPUs, PIDs: m.PIDs}
	if m.Nice != nil {
		l.Nice = *m.Nice
	}
	return l
}

// Check refuses an allowance that cannot be meant so. Its errors name limits as settings do: "mem", "max-mem".
func (a Allowance) Check() error {
	if err := a.Default.checkLimits(); err != nil {
		return err
	}
	if err := a.Max.limits().checkLimits(); err != nil {
		return Invalid("max-%v", err)
	}
	if name, is, most := a.Default.over(a.Max); name != "" {
		return Invalid("%s %s: the default is beyond max-%s, %s", name, is, name, most).WithFix("change %s, or max-%s", name, name)
	}
	return nil
}

// Refuse refuses a job that asks for more than its queue allows.
func (a *Allowance) Refuse(s *Spec) error {
	name, is, most := s.Limits.over(a.Max)
	if name == "" {
		return nil
	}
	return Errorf(ErrTooLarge, "%s %s: beyond what the queue %s allows, %s", name, is, s.Queue, most).
		WithFix("--%s %s, or another queue: rota queue show %s", name, most, s.Queue)
}

// over names the first limit that is beyond a maximum.
func (l Limits) over(m Maxima) (name, is, most string) {
	switch {
	case m.Memory != 0 && l.Memory > m.Memory:
		return "mem", Size(l.Memory).String(), Size(m.Memory).String()
	case m.CPUs != 0 && l.CPUs > m.CPUs:
		return "cpus", fmt.Sprint(l.CPUs), fmt.Sprint(m.CPUs)
	case m.PIDs != 0 && l.PIDs > m.PIDs:
		return "pids", strconv.Itoa(l.PIDs), strconv.Itoa(m.PIDs)
	case m.Nice != nil && l.Nice != 0 && l.Nice < *m.Nice:
		return "nice", strconv.Itoa(l.Nice), strconv.Itoa(*m.Nice)
	}
	return "", "", ""
}

// checkWhere refuses what no node could be, and needs that are none.
func (s *Spec) checkWhere() error {
	if s.On == OnAll {
		return Invalid("on %q: a job is for one node", OnAll).WithFix("rota run --on all, or rota cron add --on all, make a job for each")
	}
	if key, value, label := strings.Cut(s.On, "="); s.On != "" {
		switch {
		case label && (!labelKey.MatchString(key) || len(key) > MaxLabelKey || len(value) > MaxLabel):
			return Invalid("on %q: a label is KEY=VALUE, and a key has up to %d letters, digits, '.', '_', '/' and '-'", s.On, MaxLabelKey)
		case !label && (!queueName.MatchString(s.On) || len(s.On) > MaxQueueName):
			return Invalid("on %q: write a node's name, or a label as KEY=VALUE", s.On).WithFix("rota node ls")
		}
	}
	return CheckResources("need", s.Needs)
}

// checkKey settles how many tasks with the job's key run at once.
func (s *Spec) checkKey() error {
	switch {
	case len(s.LimitKey) > MaxKey:
		return tooLarge("limit key", len(s.LimitKey), MaxKey, "bytes")
	case s.LimitKey == "" && s.KeyLimit != 0:
		return Invalid("limit of a key, %d: the job has no key", s.KeyLimit).WithFix("--limit-key KEY --limit %d", s.KeyLimit)
	case s.KeyLimit < 0 || s.KeyLimit > MaxTasks:
		return Invalid("limit of the key %q, %d: from 1 to %d", s.LimitKey, s.KeyLimit, MaxTasks)
	case s.LimitKey != "" && s.KeyLimit == 0:
		s.KeyLimit = 1
	}
	return nil
}

func (s *Spec) checkMany() error {
	if s.Array != nil && s.Lines {
		return Invalid("a job is either an array or one task a line, not both")
	}
	if s.Limit < 0 || (s.Limit > 0 && !s.Many()) {
		return Invalid("limit %d: says how many tasks of an array run at once, at least 1", s.Limit)
	}
	if s.Array == nil {
		return nil
	}
	if len(s.Array.Ranges) == 0 || len(s.Array.Ranges) > 1000 {
		return Invalid("array: has from 1 to 1000 ranges")
	}
	last := -1
	for _, r := range s.Array.Ranges {
		if r.First <= last || r.Last < r.First || r.Last > MaxIndex || r.Step < 0 {
			return Invalid("array %q: indexes rise, from 0 to %d at most", s.Array, MaxIndex)
		}
		last = r.Last
	}
	if n := s.Array.Len(); n > MaxTasks {
		return tooLarge("array", n, MaxTasks, "tasks")
	}
	return nil
}

func tooLarge(what string, is, limit int, unit string) *Error {
	return Errorf(ErrTooLarge, "%s: %d %s, and %d is the limit", what, is, unit, limit)
}
