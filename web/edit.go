package web

import (
	"github.com/rotaqueue/rota"
)

// field is something that an act asks for, beside what it is done to.
type field struct {
	Name, Label, Hint string
	Value             string   // what was said before
	Choices           []string // are offered
	Only              bool     // nothing but one of the choices, or nothing
	Required          bool
}

// said fills in what was said of a field before.
func (f field) said(r *request) field {
	f.Value = r.PostFormValue("to-" + f.Name)
	return f
}

func (p *Pages) queueField(r *request, label string, required bool) (field, error) {
	f := field{Name: "queue", Label: label, Required: required}
	queues, err := p.svc.Queues(r.Context())
	for i := range queues {
		f.Choices = append(f.Choices, queues[i].Name)
	}
	return f.said(r), err
}

func (p *Pages) moveFields(r *request) ([]field, error) {
	f, err := p.queueField(r, "To the queue", true)
	f.Hint = "What waits of them stands there as if it had just come."
	return []field{f}, err
}

func moveEdit(value func(string) string) (rota.Edit, error) {
	to := value("queue")
	return rota.Edit{Queue: &to}, rota.CheckQueueName(to)
}

func (p *Pages) relocateFields(r *request) ([]field, error) {
	f := field{Name: "on", Label: "To the node", Hint: "A node's name, a label KEY=VALUE, or any. What runs goes on where it is.", Choices: []string{rota.AnyNode}, Required: true}
	nodes, err := p.svc.Nodes(r.Context())
	for i := range nodes {
		f.Choices = append(f.Choices, nodes[i].Name)
	}
	return []field{f.said(r)}, err
}

func relocateEdit(value func(string) string) (rota.Edit, error) {
	if value("on") == "" {
		return rota.Edit{}, rota.Invalid("no node is named")
	}
	return rota.RelocateTo(value("on")), nil
}

func (p *Pages) priorityFields(r *request) ([]field, error) {
	return []field{field{Name: "priority", Label: "Priority", Hint: "5 sets it, +5 raises it by 5, -5 lowers it by 5; higher goes first.", Required: true}.said(r)}, nil
}

func priorityEdit(value func(string) string) (rota.Edit, error) {
	return rota.ParsePriority(value("priority"))
}

func (p *Pages) reroleFields(r *request) ([]field, error) {
	queue, err := p.queueField(r, "To the queue", false)
	queue.Hint = "Empty: they stay in theirs."
	executor := field{Name: "executor", Label: "To the executor", Choices: []string{rota.ExecutorExec, rota.ExecutorShell}, Only: true,
		Hint: "A command can be given to the shell, and a shell text to exec, which runs a shell then; a script stays one."}
	return []field{queue, executor.said(r)}, err
}

func reroleEdit(value func(string) string) (e rota.Edit, err error) {
	queue, executor := value("queue"), value("executor")
	if queue == "" && executor == "" {
		return e, rota.Invalid("neither a queue nor an executor is named")
	}
	if queue != "" {
		if err := rota.CheckQueueName(queue); err != nil {
			return e, err
		}
		e.Queue = &queue
	}
	if executor != "" {
		e.Executor = &executor
	}
	return e, nil
}
