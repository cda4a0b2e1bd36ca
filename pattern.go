package rota

import (
	"path"
	"slices"
	"strings"
)

// ServedQueues are the patterns of the queues that a node serves, in order: first its own queue, then those that somebody
// listed, and the queue default last, unless the list has a place for it or excludes it. An empty list is "*".
func ServedQueues(node string, list []string) []string {
	if len(list) == 0 {
		list = []string{"*"}
	}
	own := "@" + node
	out := make([]string, 0, len(list)+2)
	if node != "" && !slices.Contains(list, own) {
		out = append(out, own)
	}
	out = append(out, list...)
	if !slices.Contains(list, DefaultQueue) {
		out = append(out, DefaultQueue) // "!default" takes it out again
	}
	return out
}

// PlaceOf is the index of the pattern under which a queue is served, -1 for not at all. "!x" excludes, wherever it
// stands, and a pattern that names a queue itself counts before one with a wildcard. A queue "@x" is served by its name alone.
func PlaceOf(queue string, patterns []string) int {
	place, exact := -1, false
	for i, p := range patterns {
		switch {
		case p != "" && p[0] == '!':
			if MatchName(p[1:], queue) {
				return -1
			}
		case p == queue:
			if !exact {
				place, exact = i, true
			}
		case place < 0 && queue[0] != '@' && MatchName(p, queue):
			place = i
		}
	}
	return place
}

// MaxPatterns is how many patterns a node's list has at most.
const MaxPatterns = 1_000

// CheckPattern refuses what cannot be a pattern of queue names.
func CheckPattern(p string) error {
	if _, err := path.Match(p, ""); err != nil || p == "" || p == "!" || len(p) > 2*MaxQueueName || strings.ContainsAny(p, " \t/\\,") {
		return Invalid("queues: %q is no pattern of queue names", p).WithFix("write for example gpu,fast,*,!slow")
	}
	return nil
}
