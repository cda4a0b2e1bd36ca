package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// The exit codes that are not of an error's kind.
const (
	exitTimeout     = 124 // a wait took too long
	exitOwn         = 125 // run and wait: Rota itself failed, not the job
	exitCannotRun   = 126 // the job's program could not be run
	exitSignal      = 128 // and the signal's number
	exitInterrupted = exitSignal + int(syscall.SIGINT)
)

// ownKey marks commands whose every failure of Rota's own ends with exitOwn.
const ownKey = "own"

// exit ends the command with a code; without an error there is nothing more to say.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// finish says what went wrong, if something did, and is the exit code.
func (a *app) finish(cmd *cobra.Command, err error) int {
	a.screen.clear()
	if err == nil {
		return 0
	}
	if name, ok := unknownName(err); ok {
		err = unknownCommand(cmd, name)
	}
	var e *exit
	if errors.As(err, &e) && e.err == nil {
		return e.code
	}
	code := rota.KindOf(err).Exit
	switch {
	case e != nil:
		code = e.code
	case errors.Is(err, syscall.EPIPE):
		return exitSignal + int(syscall.SIGPIPE)
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case ownFailures(cmd):
		code = exitOwn
	}
	a.say(cmd.CommandPath(), err)
	return code
}

// ownFailures reports whether the command's exit code is a job's, so that Rota's own failures need another one.
func ownFailures(cmd *cobra.Command) bool {
	if cmd.Annotations[ownKey] != "" {
		return true
	}
	for _, name := range []string{"wait", "follow"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "true" && cmd.Annotations[ownWithWait] != "" {
			return true
		}
	}
	return false
}

// ownWithWait marks commands that end with a job's code when they wait for it.
const ownWithWait = "own-with-wait"

// say prints an error and what mends it.
func (a *app) say(who string, err error) {
	a.note("%s: %s", who, strings.TrimSpace(cleanLines(err.Error())))
	if fix := rota.FixOf(err); fix != "" {
		a.note("  %s", cleanLines(fix))
	}
}

func unknownName(err error) (string, bool) {
	rest, ok := strings.CutPrefix(err.Error(), "unknown command ")
	if !ok {
		return "", false
	}
	var name string
	if _, err := fmt.Sscanf(rest, "%q", &name); err != nil {
		return "", false
	}
	return name, true
}

func unknownCommand(cmd *cobra.Command, name string) error {
	err := rota.Invalid("there is no command %q", name)
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if best, ok := nearest(name, names); ok {
		return err.WithFix("did you mean `%s %s`?", cmd.CommandPath(), best)
	}
	return err.WithFix("`%s --help` lists the commands", cmd.CommandPath())
}

// flagError turns what the flag library says into an error of ours.
func flagError(cmd *cobra.Command, err error) error {
	return badFlag(cmd.Flags(), cmd.CommandPath(), err)
}

// badFlag is flagError for a set of flags and the command that explains them.
func badFlag(flags *pflag.FlagSet, command string, err error) error {
	var (
		missing *pflag.NotExistError
		value   *pflag.InvalidValueError
	)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &missing):
		return unknownFlag(flags, command, missing)
	case errors.As(err, &value):
		cause := strings.TrimPrefix(errors.Unwrap(value).Error(), "strconv.ParseInt: ")
		return rota.Invalid("--%s %q: %s", value.GetFlag().Name, value.GetValue(), strings.TrimPrefix(cause, fmt.Sprintf("parsing %q: ", value.GetValue()))).
			WithFix("%s", fixOr(errors.Unwrap(value), fmt.Sprintf("`%s --help` explains the flags", command)))
	}
	return rota.Invalid("%v", err).WithFix("`%s --help` explains the flags", command)
}

func unknownFlag(flags *pflag.FlagSet, command string, missing *pflag.NotExistError) error {
	name := missing.GetSpecifiedName()
	if letters := missing.GetSpecifiedShortnames(); letters != "" {
		return rota.Invalid("there is no flag -%s", name[:1]).WithFix("`%s --help` lists the flags", command)
	}
	err := rota.Invalid("there is no flag --%s", name)
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if best, ok := nearest(name, names); ok {
		return err.WithFix("did you mean --%s?", best)
	}
	return err.WithFix("`%s --help` lists the flags", command)
}

// nearest is the name that was probably meant: one that differs in few letters, or begins alike.
func nearest(name string, names []string) (string, bool) {
	best, least := "", len(name)/3+2
	for _, n := range names {
		d := distance(name, n)
		if len(name) >= 3 && strings.HasPrefix(n, name) {
			d = 1
		}
		if d < least {
			best, least = n, d
		}
	}
	return best, best != ""
}

// distance is how many letters must be changed, added, left out or swapped with the next to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func fixOr(err error, fix string) string {
	if own := rota.FixOf(err); own != "" {
		return own
	}
	return fix
}

// oneOf refuses a value that is not in a list.
func oneOf(what, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	err := rota.Invalid("%s %q: write %s", what, value, strings.Join(allowed, ", "))
	if best, ok := nearest(value, allowed); ok {
		return err.WithFix("did you mean %s?", best)
	}
	return err
}

// fileError is an error about a file that the caller named.
func fileError(what string, err error) error {
	kind := rota.ErrInvalid
	if errors.Is(err, fs.ErrPermission) {
		kind = rota.ErrDenied
	}
	return rota.Errorf(kind, "%s: %v", what, err)
}
