package server

import (
	"github.com/rotaqueue/rota"
)

// placed makes of a fire's job those for the nodes where its schedule runs, or says why there are none: one, or one for
// each node that is up and runs anything.
func placed(on string, job rota.NewJob, nodes []rota.Node) ([]rota.NewJob, string) {
	switch on {
	case "", rota.OnAny:
		return []rota.NewJob{job}, ""
	case rota.OnAll:
	default:
		job.Spec.On = on
		return []rota.NewJob{job}, ""
	}
	var jobs []rota.NewJob
	for i := range nodes {
		if n := &nodes[i]; n.State == rota.NodeUp && n.Slots > 0 {
			job.Spec.On = n.Name
			jobs = append(jobs, job)
		}
	}
	if len(jobs) == 0 {
		return nil, "no node is up"
	}
	return jobs, ""
}

// checkOn refuses a place that can be none: what a job may say, and any and all.
func checkOn(sch *rota.Schedule) error {
	switch {
	case sch.On == "" || sch.On == rota.OnAny || sch.On == rota.OnAll:
		return nil
	case sch.Spec.On != "" && sch.Spec.On != sch.On:
		return rota.Invalid("schedule %q: it is for %q, and its job for %q", sch.Name, sch.On, sch.Spec.On)
	}
	sub := rota.Submission{Spec: sch.Spec}
	sub.Spec.On = sch.On
	return sub.Resolve()
}
