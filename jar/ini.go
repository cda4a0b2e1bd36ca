package jar

import (
	"strings"

	"github.com/rotaqueue/rota"
)

// iniHead is the line that settings in a file begin with.
const iniHead = "[Job Jar]"

// setting is one line of a file of settings.
type setting struct {
	name, value string
	line        int
}

// parseINI reads "name: value" and "name=value" below the head. Blank lines, and lines that begin with # or ;, say
// nothing; a file that has nothing else is empty. Names are read as capitals. Errors have the line, not the file.
func parseINI(text string) ([]setting, error) {
	var found []setting
	headed, number := false, 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case !headed && line != iniHead:
			return nil, rota.Invalid("%d: %q: the first line that says something must be %s", number, line, iniHead)
		case !headed:
			headed = true
			continue
		case line[0] == '[':
			return nil, rota.Invalid("%d: %q: there is no other section than %s", number, line, iniHead)
		}
		i := strings.IndexAny(line, ":=")
		if i < 1 {
			return nil, rota.Invalid("%d: %q: write NAME: VALUE", number, line)
		}
		name, value := strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
		found = append(found, setting{strings.ToUpper(name), value, number})
	}
	return found, nil
}
