package web

import (
	"strings"

	"github.com/rotaqueue/rota"
)

// told is what a form says of who is told of ends.
type told struct {
	to     []string
	on     *rota.MailOn
	notify []string
}

// toldOfForm is that; of a form without these fields nothing.
func toldOfForm(r *request) (t told) {
	_ = r.PostFormValue("mail-to") // reads the form
	if !r.PostForm.Has("mail-to") {
		return t
	}
	listed := func(name string) []string {
		between := func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' }
		return append([]string{}, strings.FieldsFunc(r.PostFormValue(name), between)...)
	}
	on := rota.MailOn(r.PostFormValue("mail-on"))
	return told{listed("mail-to"), &on, listed("notify")}
}

// mailOns are when there is mail, for a form.
var mailOns = [][2]string{{"", "when one fails"}, {string(rota.MailOnEnd), "when one succeeds or fails"}, {string(rota.MailOnAlways), "whenever one ends"}}

// MailOns are when there is mail, and how a form says it.
func (r *request) MailOns() [][2]string { return mailOns }
