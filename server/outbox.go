package server

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Courier brings events to places. Several to an address are one mail.
type Courier interface {
	Deliver(ctx context.Context, place string, events []rota.Event) error
}

const (
	lettersAtOnce = 500
	// takenFor is how long a letter is a server's: longer than all deliveries of a step take, or it is delivered twice.
	takenFor = rota.Duration(10 * time.Minute)
	// stepFor bounds the deliveries of a step.
	stepFor = 5 * time.Minute
	// gather is how long mail waits for more to go with it, and mailPause how long after one nobody gets another: a burst is
	// one letter, and then one a minute.
	gather    = 5 * time.Second
	mailPause = time.Minute

	// tellSoon is how soon the outbox is looked at after something that may have put letters there.
	tellSoon = 2 * time.Second

	firstRetry = 10 * time.Second
	mostRetry  = time.Hour
	giveUp     = 72 * time.Hour

	tailBytes = 4 << 10
	tailLines = 30
)

// deliver is the step of the delivering loop: it brings what is due in the outbox, and finds out who is told of what has just
// happened. Any number of servers may do so at once.
func (s *Server) deliver(ctx context.Context) (time.Duration, error) {
	waiting, err := s.store.Letters(ctx, 1)
	if err != nil || len(waiting) == 0 {
		return never, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return 0, err
	}
	if wait := waiting[0].Due.Sub(now); wait > 0 {
		return wait, nil
	}
	letters, err := s.store.TakeLetters(ctx, lettersAtOnce, takenFor)
	if err != nil || len(letters) == 0 {
		return never, err
	}
	ctx, cancel := context.WithTimeout(ctx, stepFor)
	defer cancel()
	places := map[string][]rota.Letter{}
	var order []string
	for i := range letters {
		l := &letters[i]
		if l.Place == "" {
			err = errors.Join(err, s.address(ctx, l))
			continue
		}
		if places[l.Place] == nil {
			order = append(order, l.Place)
		}
		places[l.Place] = append(places[l.Place], *l)
	}
	for _, place := range order {
		err = errors.Join(err, s.bring(ctx, place, places[place], now))
	}
	return shortBreath, err
}

// address makes of a letter to all whom it concerns one to each.
func (s *Server) address(ctx context.Context, l *rota.Letter) error {
	told := s.endOf
	if l.Kind == rota.EventAlarm {
		told = s.alarmOf
	}
	event, tell, err := told(ctx, l)
	if errors.Is(err, rota.ErrNotFound) {
		return s.store.Delivered(ctx, []int64{l.ID}, nil) // removed meanwhile
	}
	if err != nil {
		return err
	}
	if tell, err = s.otherwise(ctx, tell, &event); err != nil {
		return err
	}
	event.ID, event.Kind, event.At = "e"+strconv.FormatInt(l.ID, 10), l.Kind, l.At
	var further []rota.Letter
	for i, place := range tell.Places(l.Kind) {
		to := rota.Letter{Kind: l.Kind, Job: l.Job, Place: place, Event: event, At: l.At}
		to.Event.ID += "." + strconv.Itoa(i)
		if strings.HasPrefix(place, rota.MailPlace) {
			to.Due = l.At.Add(gather)
		}
		further = append(further, to)
	}
	return s.store.Delivered(ctx, []int64{l.ID}, further)
}

// otherwise fills what is left open of whom to tell: from who submitted, then the queue, then the node. A user comes before the
// queue, as what the user could have said with each job does.
func (s *Server) otherwise(ctx context.Context, tell rota.Tell, e *rota.Event) (rota.Tell, error) {
	users, err := s.store.Users(ctx, e.Submit)
	if err != nil {
		return tell, err
	}
	for i := range users {
		if users[i].Name == e.Submit {
			tell = tell.Or(users[i].Tell)
		}
	}
	queues, err := s.store.Queues(ctx)
	for i := range queues {
		if queues[i].Name == e.Queue {
			tell = tell.Or(queues[i].Tell)
		}
	}
	return tell.Or(s.opts.Tell), err
}

// alarmOf is what is told of an alarm, with how its job failed if it did, and whom the schedule names.
func (s *Server) alarmOf(ctx context.Context, l *rota.Letter) (rota.Event, rota.Tell, error) {
	r, err := s.store.Schedule(ctx, l.Event.Schedule)
	if err != nil {
		return rota.Event{}, rota.Tell{}, err
	}
	e := rota.Event{Job: l.Job}
	if job, err := s.store.Job(ctx, l.Job); err == nil && job.Failed > 0 {
		if e, err = s.eventOf(ctx, rota.EventFailed, &job); err != nil {
			return e, rota.Tell{}, err
		}
	} else if err != nil && !errors.Is(err, rota.ErrNotFound) {
		return e, rota.Tell{}, err
	}
	e.Name, e.Queue, e.Submit = r.Spec.Name, r.Spec.Queue, r.By
	e.Schedule, e.Text, e.Link = r.Name, l.Event.Text, s.link("cron", url.PathEscape(r.Name))
	return e, r.Tell(), nil
}

// endOf is what is told of a job's end, and whom the job names.
func (s *Server) endOf(ctx context.Context, l *rota.Letter) (rota.Event, rota.Tell, error) {
	job, err := s.store.Job(ctx, l.Job)
	if err != nil {
		return rota.Event{}, rota.Tell{}, err
	}
	e, err := s.eventOf(ctx, l.Kind, &job)
	return e, job.Spec.Tell, err
}

// link is where more is to be seen of something; empty, if nobody said where this server's pages are.
func (s *Server) link(kind, which string) string {
	if s.opts.Link == "" {
		return ""
	}
	return strings.TrimSuffix(s.opts.Link, "/") + "/" + kind + "/" + which
}

func (s *Server) eventOf(ctx context.Context, kind rota.EventKind, job *rota.Job) (rota.Event, error) {
	e := rota.Event{Job: job.ID, Name: job.Spec.Name, Queue: job.Spec.Queue, Submit: job.Submitter, Schedule: job.Schedule, Tasks: job.Tasks,
		Failed: job.Failed, Cancelled: job.Cancelled, Link: s.link("jobs", job.ID.String())}
	state := map[rota.EventKind]rota.State{rota.EventFailed: rota.Failed, rota.EventCancelled: rota.Cancelled, rota.EventSucceeded: rota.Succeeded}[kind]
	if job.Tasks > 1 && kind != rota.EventFailed {
		return e, nil
	}
	tasks, err := s.store.Tasks(ctx, rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{rota.SpanOf(job.ID)}, States: []rota.State{state}}, Max: 1})
	if err != nil || len(tasks) == 0 {
		return e, err
	}
	t := &tasks[0]
	e.Task, e.Exit, e.Signal, e.Reason = t.ID, t.Exit, t.Signal, t.Reason
	for _, out := range []struct {
		stream rota.Stream
		to     *string
	}{{rota.Stdout, &e.Output}, {rota.Stderr, &e.Errors}} {
		o, err := s.store.Output(ctx, rota.OutputQuery{Task: t.ID, Attempt: t.Number, Stream: out.stream, Offset: -tailBytes, Max: tailBytes})
		if err == nil {
			*out.to = tail(string(o.Data))
		} else if !errors.Is(err, rota.ErrNotFound) {
			return e, err
		}
	}
	return e, nil
}

// tail are the last lines of a text, as text.
func tail(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// bring brings letters to a place.
func (s *Server) bring(ctx context.Context, place string, letters []rota.Letter, now time.Time) error {
	isMail := strings.HasPrefix(place, rota.MailPlace)
	if wait := s.mailed[place].Add(mailPause).Sub(now); isMail && wait > 0 {
		return s.store.Postpone(ctx, numbers(letters), rota.Duration(wait), "")
	}
	if !isMail {
		var failed error
		for i := range letters {
			failed = errors.Join(failed, s.hand(ctx, place, letters[i:i+1], now))
		}
		return failed
	}
	if s.mailed == nil || len(s.mailed) > 10_000 {
		s.mailed = map[string]time.Time{}
	}
	s.mailed[place] = now
	return s.hand(ctx, place, letters, now)
}

// hand gives letters to the courier. An error is the store's.
func (s *Server) hand(ctx context.Context, place string, letters []rota.Letter, now time.Time) error {
	events := make([]rota.Event, len(letters))
	for i := range letters {
		events[i] = letters[i].Event
	}
	err := error(rota.Errorf(rota.ErrUnsupported, "this server tells nobody"))
	if s.opts.Courier != nil {
		err = s.opts.Courier.Deliver(ctx, place, events)
	}
	ids := numbers(letters)
	if err == nil {
		return s.store.Delivered(ctx, ids, nil)
	}
	tries := letters[0].Tries
	if now.Sub(letters[0].At) > giveUp {
		s.log.Error("nobody could be told, and it is given up", "to", place, "events", len(events), "first", events[0].ID, "error", err)
		return s.store.Delivered(ctx, ids, nil)
	}
	wait := min(firstRetry<<min(tries, 20), mostRetry)
	s.log.Warn("somebody could not be told, and will be tried again", "to", place, "events", len(events), "error", err, "in", wait)
	return s.store.Postpone(ctx, ids, rota.Duration(wait), err.Error())
}

func numbers(letters []rota.Letter) []int64 {
	ids := make([]int64, len(letters))
	for i := range letters {
		ids[i] = letters[i].ID
	}
	return ids
}
