package web

import (
	"fmt"
	"regexp"
	"strings"
)

// flashText is all that may stand in what an act tells: others can write links, too.
var flashText = regexp.MustCompile(`^[\w .,:;@#+-]{1,240}$`)

var notFlash = regexp.MustCompile(`[^\w .,:;@#+-]`)

// done sends the browser on after an act, and tells there what became of it, in the query: cookies of pages further down
// would not get there.
func (r *request) done(to, format string, args ...any) {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	text := notFlash.ReplaceAllString(fmt.Sprintf(format, args...), "")
	r.redirect(to + sep + "done=" + escape(text[:min(len(text), 240)]))
}

// takeFlash is what the act before told.
func (r *request) takeFlash() string {
	if text := r.URL.Query().Get("done"); flashText.MatchString(text) {
		return text
	}
	return ""
}
