package cli

import (
	"slices"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
)

// key does what a key means, and reports whether it ends the page.
func (v *topView) key(k string) (quit bool) {
	v.said = ""
	switch {
	case k == keyInterrupt:
		return true
	case v.asking != nil:
		v.answer(k)
	case v.help:
		v.help = false
	case v.log != nil:
		v.keyOfLog(k)
	default:
		return v.keyOfList(k)
	}
	return false
}

// answer takes what is typed to a question.
func (v *topView) answer(k string) {
	q := v.asking
	switch {
	case !q.filter:
		if v.asking = nil; k == "y" || k == "Y" {
			v.do, v.doTo, v.stale = q.act, q.job, true
		}
	case k == keyEscape:
		v.asking = nil
	case k == keyEnter:
		v.asking = nil
		if _, err := topFilter(q.text); err != nil {
			v.said = clean(err.Error())
			return
		}
		v.filter, v.first, v.stale = q.text, 0, true
	case k == keyBack:
		_, n := utf8.DecodeLastRuneInString(q.text)
		q.text = q.text[:len(q.text)-n]
	case utf8.RuneCountInString(k) == 1:
		q.text += k
	}
}

func (v *topView) keyOfLog(k string) {
	switch k {
	case "e":
		v.log.stream = map[rota.Stream]rota.Stream{rota.Stdout: rota.Stderr, rota.Stderr: rota.Stdout}[v.log.stream]
		v.log.text, v.stale = "", true
	case "q", "l", keyEscape, keyLeft:
		v.log, v.stale = nil, true
	}
}

func (v *topView) keyOfList(k string) (quit bool) {
	switch k {
	case "q":
		return true
	case "?", "h":
		v.help = true
	case "/":
		v.asking = &topAsking{filter: true, text: v.filter}
	case "s":
		v.order = topOrders[(slices.Index(topOrders, v.order)+1)%len(topOrders)]
		v.first, v.stale = 0, true
	case keyTab:
		v.kind = (v.kind + 1) % len(topKinds)
		v.first, v.stale = 0, true
	default:
		if step, ok := topSteps[k]; ok {
			v.step(step)
		} else if i := v.chosen(); i >= 0 {
			v.keyOfJob(k, &v.jobs[i])
		}
	}
	return false
}

const topPage = 10

var topSteps = map[string]int{keyUp: -1, "k": -1, keyDown: 1, "j": 1, keyPageUp: -topPage, keyPageDown: topPage, "g": -topMost, keyHome: -topMost, "G": topMost, keyEnd: topMost}

func (v *topView) step(by int) {
	if len(v.jobs) > 0 {
		v.at = v.jobs[min(max(v.chosen()+by, 0), len(v.jobs)-1)].ID
	}
}

func (v *topView) keyOfJob(k string, j *rota.Job) {
	switch k {
	case "l", keyEnter, keyRight:
		v.log, v.stale = &topLog{job: j.ID, stream: rota.Stdout}, true
	case "c":
		v.asking = &topAsking{act: actNamed("cancel"), job: j.ID}
	case "K":
		v.asking = &topAsking{act: actNamed("kill"), job: j.ID}
	case "r":
		v.do, v.doTo, v.stale = actNamed("retry"), j.ID, true
	}
}

// actNamed is the act of a command.
func actNamed(use string) *act {
	return &acts[slices.IndexFunc(acts, func(a act) bool { return a.use == use })]
}
