package web

import (
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// auditPage is who changed what, newest first.
type auditPage struct {
	Deeds    []rota.Deed
	By, What string
	Older    string
}

func (p *Pages) audit(r *request) error {
	v := r.URL.Query()
	d := auditPage{By: strings.TrimSpace(v.Get("by")), What: strings.TrimSpace(v.Get("what"))}
	before, _ := strconv.ParseInt(v.Get("before"), 10, 64)
	var err error
	d.Deeds, err = p.svc.Audit(r.Context(), rota.DeedQuery{By: d.By, What: d.What, Before: max(before, 0), Max: pageRows + 1})
	if err != nil {
		return err
	}
	if len(d.Deeds) > pageRows {
		d.Deeds = d.Deeds[:pageRows]
		d.Older = r.With("before", strconv.FormatInt(d.Deeds[pageRows-1].ID, 10))
	}
	r.show("audit", "Audit", d)
	return nil
}
