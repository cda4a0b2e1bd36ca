package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cron"
)

// importing is how a crontab is imported.
type importing struct {
	dryRun, takeOver, system bool
	zone                     string
}

func (a *app) cronImportCommand() *cobra.Command {
	var how importing
	cmd := &cobra.Command{
		Use:   "import [flags] FILE",
		Short: "Make schedules of a crontab, or of what export printed",
		Long: `Reads a crontab (- for standard input) and makes a schedule of each entry. Each line of the answer begins with what becomes of an
entry: = it runs as it did, ~ something changes, ! it cannot be a schedule, and says why.

What is imported is held, so that nothing runs twice while cron has it too. Take the entries out of the crontab, then say
--take-over with the crontab as it is now: what is no longer in it goes on here, what still is stays held. Nothing is ever
written into a crontab.

As cron does, imported schedules let jobs overlap and do not make up for what they missed; rota cron edit changes that.`,
		Example: examples("crontab -l | rota cron import --dry-run -", "crontab -l | rota cron import -", "crontab -l | rota cron import --take-over -",
			"rota cron import --system /etc/crontab", "rota cron export | rota cron import --server https://other:2691 -"),
		Args: exactly("FILE"),
	}
	cmd.Flags().BoolVar(&how.dryRun, "dry-run", false, "only say what would become of each entry")
	cmd.Flags().BoolVar(&how.takeOver, "take-over", false, "let go on what is held and no longer in FILE")
	cmd.Flags().BoolVar(&how.system, "system", false, "entries name a user, as in /etc/crontab")
	cmd.Flags().StringVar(&how.zone, "tz", "", "time `zone` of entries that name none (default: this machine's)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := a.readText(args[0])
		if err != nil {
			return err
		}
		c, err := a.connect(cmd, wantWrite)
		if err != nil {
			return err
		}
		defer c.Close()
		have, err := c.Schedules(cmd.Context())
		if err != nil {
			return err
		}
		if trimmed := strings.TrimSpace(text); !how.takeOver && strings.HasPrefix(trimmed, "[") {
			return a.importExported(cmd, c, trimmed, have, how.dryRun)
		}
		lines := cron.ReadTab(text, how.system)
		if how.takeOver {
			return a.takeOver(cmd, c, lines, have, how.dryRun)
		}
		return a.importTab(cmd, c, lines, have, how)
	}
	return cmd
}

// readText reads a file, or standard input.
func (a *app) readText(name string) (string, error) {
	if name == ownStdin {
		text, err := io.ReadAll(io.LimitReader(a.in, rota.MaxText))
		return string(text), err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fileError("import", err)
	}
	return string(text), nil
}

func (a *app) importTab(cmd *cobra.Command, c *conn, lines []cron.Line, have []rota.Schedule, how importing) error {
	names, origins := map[string]bool{}, map[string]string{}
	for i := range have {
		names[have[i].Name] = true
		origins[have[i].Origin] = have[i].Name
	}
	counts := map[string]int{}
	for i := range lines {
		l := &lines[i]
		mark, name, note := "!", "-", l.Wrong
		if already := origins[l.Text]; already != "" {
			mark, name, note = "=", already, "is there already"
		} else if l.Wrong == "" {
			s, changes, wrong := scheduleOf(l, c.target.remote(), how)
			if wrong == "" {
				s.Name = freeName(l.Command, names)
				mark, name, note = "=", s.Name, strings.Join(changes, "; ")
				if len(changes) > 0 {
					mark = "~"
				}
				if !how.dryRun {
					if _, err := c.PutSchedule(cmd.Context(), s); err != nil {
						return fmt.Errorf("line %d: %w", l.Number, err)
					}
				}
			} else {
				note = wrong
			}
		}
		counts[mark]++
		if _, err := fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("%s %3d  %-16s %s  %s", mark, l.Number, clean(name), clean(l.Text), noteOf(note)), " ")); err != nil {
			return err
		}
	}
	a.note("rota: %d run as they did, %d change, %d cannot be schedules", counts["="], counts["~"], counts["!"])
	if !how.dryRun && counts["="]+counts["~"] > 0 {
		a.note("rota: they are held. Take them out of the crontab (crontab -e), then: crontab -l | rota cron import --take-over -")
	}
	return nil
}

func noteOf(note string) string {
	if note == "" {
		return ""
	}
	return "# " + clean(note)
}

// scheduleOf makes a schedule of an entry, and says what changes, or why it cannot be one.
func scheduleOf(l *cron.Line, remote bool, how importing) (s rota.Schedule, changes []string, wrong string) {
	me := currentUser()
	if l.User != "" && l.User != me.Username {
		return s, nil, "it runs as " + l.User + ", and jobs run as the node's own user"
	}
	s = rota.Schedule{Expr: l.Expr, Zone: cmp.Or(l.Zone, how.zone, localZone(os.LookupEnv, os.Readlink)), Overlap: rota.OverlapAllow, Missed: rota.MissedSkip,
		Origin: l.Text, Held: true}
	spec := &s.Spec
	spec.Env = slices.Clone(l.Env)
	if remote {
		changes = append(changes, "it runs in a scratch folder, not at home")
	} else {
		spec.Dir = me.HomeDir
		spec.Env = surely(spec.Env, "HOME="+me.HomeDir, "LOGNAME="+me.Username, "USER="+me.Username)
	}
	spec.Env = surely(spec.Env, "PATH=/usr/bin:/bin", "SHELL="+cmp.Or(l.Shell, "/bin/sh"))
	command := l.Command
	if l.Input != "" {
		command = "{ " + command + "\n} <<'" + inputMark + "'\n" + l.Input + inputMark + "\n"
		changes = append(changes, "its input stands in the text of the command")
		if strings.Contains(l.Input, inputMark) {
			return s, nil, "its input has the line " + inputMark
		}
	}
	if l.Shell == "" || l.Shell == "/bin/sh" {
		spec.Shell = command
	} else {
		spec.Argv = []string{l.Shell, "-c", command}
	}
	if l.MailTo != nil {
		var change string
		if spec.Tell, change = mailOf(*l.MailTo); change != "" {
			changes = append(changes, change)
		}
	}
	if _, err := s.Timing(); err != nil {
		return s, nil, err.Error()
	}
	return s, changes, ""
}

// mailOf is who gets mail of an entry with that MAILTO, and what changes: cron sends whatever was written, Rota keeps it and
// tells of failures. Nobody is who nobody was.
func mailOf(to string) (t rota.Tell, change string) {
	t.MailTo = strings.FieldsFunc(to, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(t.MailTo) == 0 {
		t.MailTo = []string{rota.NoMail}
		return t, ""
	}
	if t.Check() != nil {
		return rota.Tell{}, "its output is kept (rota logs) and not mailed to " + to
	}
	return t, to + " gets mail when it fails, and not its output each time (rota logs has it)"
}

// inputMark ends the input of an imported command.
const inputMark = "ROTA_INPUT"

// surely adds settings to an environment that has none of their names.
func surely(env []string, settings ...string) []string {
	for _, s := range settings {
		name, _, _ := strings.Cut(s, "=")
		if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
			env = append(env, s)
		}
	}
	return env
}

func currentUser() user.User {
	if u, err := user.Current(); err == nil {
		return *u
	}
	return user.User{Username: os.Getenv("USER"), HomeDir: cmp.Or(os.Getenv("HOME"), "/")}
}

// freeName makes a name of a command that no schedule has, and takes it.
func freeName(command string, taken map[string]bool) string {
	base := "cron"
	for _, word := range strings.Fields(command) {
		if strings.Contains(word, "=") || word == "cd" || word == "&&" || word == "{" || word == "(" {
			continue
		}
		word = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
				return r
			}
			return -1
		}, path.Base(word))
		if word = strings.TrimLeft(word, "._-"); word != "" {
			base = word[:min(len(word), 40)]
			break
		}
	}
	name := base
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	taken[name] = true
	return name
}

// takeOver lets those held schedules go on whose entries are not in the crontab any more.
func (a *app) takeOver(cmd *cobra.Command, c *conn, lines []cron.Line, have []rota.Schedule, dryRun bool) error {
	left := 0
	for i := range have {
		s := have[i]
		if !s.Held {
			continue
		}
		if at := slices.IndexFunc(lines, func(l cron.Line) bool { return l.Text == s.Origin }); at >= 0 {
			left++
			a.note("rota: schedule %s stays held: line %d of the crontab still runs it", clean(s.Name), lines[at].Number)
			continue
		}
		s.Held = false
		if !dryRun {
			// The environment of another's schedule is not shown; the server keeps it.
			got, err := c.PutSchedule(cmd.Context(), s)
			if err != nil {
				return err
			}
			s = got
		}
		next := ""
		if len(comingOf(&s, a.now())) > 0 {
			next = ", next " + both(s.Next, a.now())
		}
		if _, err := fmt.Fprintf(a.out, "%s%s\n", clean(s.Name), next); err != nil {
			return err
		}
	}
	if left > 0 {
		return rota.Errorf(rota.ErrConflict, "%d schedules are still in the crontab and would run twice", left).
			WithFix("take them out (crontab -e), then: crontab -l | rota cron import --take-over -")
	}
	return nil
}

func (a *app) cronExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export [NAME...]", Short: "Print schedules as JSON that import reads", Example: examples("rota cron export > schedules.json", "rota cron export nightly"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.connect(cmd, wantRead)
			if err != nil {
				return err
			}
			defer c.Close()
			all, err := c.Schedules(cmd.Context())
			if err != nil {
				return err
			}
			out := []rota.Schedule{}
			for _, name := range args {
				if !slices.ContainsFunc(all, func(s rota.Schedule) bool { return s.Name == name }) {
					return rota.Errorf(rota.ErrNotFound, "schedule %q: there is none of this name", name).WithFix("rota cron ls")
				}
			}
			for _, s := range all {
				if len(args) == 0 || slices.Contains(args, s.Name) {
					out = append(out, exported(s))
				}
			}
			return a.printJSON(out)
		},
	}
}

// exported is a schedule without what belongs to where it is.
func exported(s rota.Schedule) rota.Schedule {
	s.By, s.Version, s.Last, s.Result, s.Failures, s.Alarms = "", 0, nil, "", 0, nil
	s.Next = time.Time{}
	return s
}

// importExported makes the schedules that export printed, but those whose names are taken.
func (a *app) importExported(cmd *cobra.Command, c *conn, text string, have []rota.Schedule, dryRun bool) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var all []rota.Schedule
	if err := d.Decode(&all); err != nil {
		return rota.Invalid("import: neither a crontab nor what rota cron export prints: %v", err)
	}
	for i := range all {
		s := exported(all[i])
		mark, note := "=", ""
		if slices.ContainsFunc(have, func(h rota.Schedule) bool { return h.Name == s.Name }) {
			mark, note = "!", "there is one of this name"
		} else if !dryRun {
			if _, err := c.PutSchedule(cmd.Context(), s); err != nil {
				return fmt.Errorf("schedule %q: %w", s.Name, err)
			}
		}
		if _, err := fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("%s %s  %s", mark, clean(s.Name), noteOf(note)), " ")); err != nil {
			return err
		}
	}
	return nil
}
