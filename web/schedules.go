package web

import (
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

type cronPage struct {
	Schedules []rota.Schedule
	Fields    []timingField // of a new one
}

func (p *Pages) cron(r *request) error {
	all, err := p.svc.Schedules(r.Context())
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b rota.Schedule) int { return strings.Compare(a.Name, b.Name) })
	r.Topics = []string{topicSchedules}
	r.show("cron", "Cron", cronPage{all, timingFields(&rota.Schedule{Zone: r.Zone(), Overlap: rota.OverlapSkip, Missed: rota.MissedOnce})})
	return nil
}

type schedulePage struct {
	Schedule rota.ScheduleRecord
	Next     []time.Time
	Fields   []timingField
	Jobs     []rota.Job // that it fired, the latest first
	Spec     string
}

func (p *Pages) schedule(r *request) error {
	s, err := p.svc.Schedule(r.Context(), r.PathValue("schedule"))
	if err != nil {
		return err
	}
	d := schedulePage{Schedule: s, Fields: timingFields(&s.Schedule), Spec: indented(s.Spec)}
	if t, err := s.Timing(); err == nil {
		d.Next = t.Coming(r.Now, 8)
	}
	newest, err := p.svc.Jobs(r.Context(), rota.JobQuery{Max: 1})
	if err == nil && len(newest) > 0 {
		span := rota.Span{First: rota.PlainTask(max(1, newest[0].ID-searchWindow)), Last: rota.SpanOf(newest[0].ID).Last}
		d.Jobs, err = p.svc.Jobs(r.Context(), rota.JobQuery{Filter: rota.Filter{Schedule: s.Name, Tasks: []rota.Span{span}}, Max: 40})
	}
	if err != nil {
		return err
	}
	r.Topics = []string{topicSchedules, topicTasks}
	r.show("schedule", "Schedule "+s.Name, d)
	return nil
}

// putSchedule creates a schedule of a shell command.
func (p *Pages) putSchedule(r *request) error {
	s := rota.Schedule{Name: strings.TrimSpace(r.PostFormValue("name")),
		Spec: rota.Spec{Shell: strings.ReplaceAll(r.PostFormValue("command"), "\r\n", "\n"), Queue: strings.TrimSpace(r.PostFormValue("queue"))}}
	if err := readTiming(r, &s); err != nil {
		return err
	}
	if _, err := p.svc.PutSchedule(r.Context(), s); err != nil {
		return err
	}
	r.done("cron/"+s.Name, "schedule %s: made", s.Name)
	return nil
}

// actSchedule pauses a schedule, lets it go on, fires it now or removes it, or changes when it fires.
func (p *Pages) actSchedule(r *request) error {
	found, err := p.svc.Schedule(r.Context(), r.PathValue("schedule"))
	if err != nil {
		return err
	}
	s := &found.Schedule
	to, said := "cron/"+s.Name, "saved"
	switch act := r.PostFormValue("act"); act {
	case "pause", "resume":
		s.Paused = act == "pause"
		said = act + "d"
		_, err = p.svc.PutSchedule(r.Context(), *s)
	case "when":
		if err = readTiming(r, s); err == nil {
			_, err = p.svc.PutSchedule(r.Context(), *s)
		}
	case "run":
		var f rota.Fire
		f, err = p.svc.FireSchedule(r.Context(), s.Name)
		if said = "not run: " + f.Skipped; f.Job > 0 {
			to, said = "jobs/"+f.Job.String(), "run now"
		}
	case "remove":
		to, said = "cron", "removed"
		err = p.svc.DropSchedule(r.Context(), s.Name)
	default:
		err = rota.Invalid("act %q: there is none", act)
	}
	if err == nil {
		r.done(to, "schedule %s: %s", s.Name, said)
	}
	return err
}
