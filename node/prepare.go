package node

import (
	"cmp"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// preparer makes processes of claimed tasks. Its errors are the job's: the task can never run so.
func (n *Node) preparer() func(a *rota.Assignment, input string) (executor.Process, error) {
	clean := cleanEnv()
	return func(a *rota.Assignment, input string) (executor.Process, error) {
		ex := n.executors[a.Spec.Executor]
		if ex == nil {
			return executor.Process{}, rota.Errorf(rota.ErrUnsupported, "executor %q: node %s does not have it", a.Spec.Executor, n.opts.Name)
		}
		if a.Refuse != "" {
			return executor.Process{}, rota.Errorf(rota.ErrDenied, "%s", a.Refuse)
		}
		cmd, err := ex.Command(a)
		if err != nil {
			return executor.Process{}, err
		}
		who, err := n.users.of(a)
		if err != nil {
			return executor.Process{}, err
		}
		p := executor.Process{Try: a.Try, Command: cmd, Wrap: slices.Concat(n.opts.Wrap, a.Wrap), ErrWrap: a.ErrWrap, As: who.identity, Env: environment(a, who.environment(a, clean), n.opts.Name, n.opts.Socket),
			Dir: a.Spec.Dir, Token: a.Token, Stdin: a.Spec.Stdin, Append: rota.Nth(a.Attempt) > 1,
			Artifacts: a.Spec.Artifacts, Timeout: a.Spec.Timeout, Grace: a.Spec.Grace,
			Limits: n.limitsOf(a), Tolerance: n.opts.onStoreLoss(a).Tolerance()}
		if len(p.ErrWrap) == 0 {
			p.ErrWrap = n.opts.ErrWrap
		}
		if a.Spec.Blob != "" {
			p.Program = n.cache.path(a.Spec.Blob)
		}
		if p.Stdin == "" {
			p.Input = input
		}
		for _, x := range a.Secrets {
			if x.File {
				p.Secrets = append(p.Secrets, executor.Secret{Name: x.Name, Value: x.Value})
			} else {
				p.Env = append(p.Env, x.Variable()+"="+x.Value)
			}
		}
		if p.Grace == 0 {
			p.Grace = rota.DefaultGrace
		}
		if p.Out, err = expand(a.Spec.Out, a.Try); err != nil {
			return executor.Process{}, err
		}
		if p.Err, err = expand(a.Spec.Err, a.Try); err != nil {
			return executor.Process{}, err
		}
		if p.Note, err = noteOf(a, p.Tolerance); err != nil {
			return executor.Process{}, err
		}
		return p, nil
	}
}

// onStoreLoss is the rule that the store had an attempt claimed under: its job's, else the session's (P8).
func (o *Options) onStoreLoss(a *rota.Assignment) rota.OnStoreLoss {
	return cmp.Or(a.Spec.OnStoreLoss, o.OnStoreLoss)
}

// limitsOf are the limits that hold for an attempt here (D6).
func (n *Node) limitsOf(a *rota.Assignment) rota.Limits {
	var queue rota.Allowance
	if a.Allowance != nil {
		queue = *a.Allowance
	}
	return rota.LimitsOf(a.Spec.Limits, queue, n.opts.Limits)
}

// environment is what the job's process gets: what it brings, or the clean one, and Rota's. ROTA_TASK_INDEX is there for elements of arrays and lines, ROTA_LINE for lines, ROTA_SOCKET where the
// node has one. The keeper adds what only the slot knows.
func environment(a *rota.Assignment, base []string, node, socket string) []string {
	env := make([]string, len(base), len(base)+10)
	copy(env, base)
	if a.Spec.Path != "" {
		env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, "PATH=") })
		env = append(env, "PATH="+a.Spec.Path)
	}
	env = append(env,
		"ROTA_JOB="+a.Task.Job().String(),
		"ROTA_TASK="+a.Task.String(),
		"ROTA_ATTEMPT="+strconv.Itoa(a.Attempt),
		"ROTA_QUEUE="+a.Queue,
		"ROTA_NODE="+node,
		"ROTA_NAME="+a.Spec.Name)
	if a.Task.IsElement() {
		env = append(env, "ROTA_TASK_INDEX="+strconv.Itoa(a.Task.Index()))
	}
	if a.Spec.Lines {
		env = append(env, "ROTA_LINE="+a.Line)
	}
	if socket != "" {
		env = append(env, "ROTA_SOCKET="+socket)
	}
	return env
}

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// cleanEnv is the environment of a job that brings none: nothing is inherited from the node but who it runs as.
func cleanEnv() []string {
	env := []string{defaultPath, "LANG=C.UTF-8", "SHELL=/bin/sh"}
	home, name := "/", ""
	if u, err := user.Current(); err == nil {
		home, name = u.HomeDir, u.Username
	}
	env = append(env, "HOME="+home)
	if name != "" {
		env = append(env, "USER="+name)
	}
	return env
}

// expand replaces the placeholders in the path of a job's own output file: %j job, %a index (0 for a task that is
// no element), %n attempt, %% a percent sign.
func expand(path string, t rota.Try) (string, error) {
	if !strings.Contains(path, "%") {
		return path, nil
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			b.WriteByte(path[i])
			continue
		}
		i++
		switch {
		case i == len(path):
			return "", badPlaceholder(path, "%")
		case path[i] == 'j':
			b.WriteString(t.Task.Job().String())
		case path[i] == 'a':
			b.WriteString(strconv.Itoa(t.Task.Index()))
		case path[i] == 'n':
			b.WriteString(strconv.Itoa(t.Attempt))
		case path[i] == '%':
			b.WriteByte('%')
		default:
			return "", badPlaceholder(path, path[i-1:i+1])
		}
	}
	return b.String(), nil
}

func badPlaceholder(path, what string) error {
	return rota.Invalid("output file %q: %s is no placeholder; write %%j (job), %%a (index), %%n (attempt) or %%%% (a percent sign)", path, what)
}
