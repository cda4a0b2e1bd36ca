package node

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// sweepEvery is how often old output is looked for, unless much of it came since.
const sweepEvery = 10 * time.Minute

// decideSweep has the output folder swept: at the start, rarely after, and when an eighth of what may stay is new.
func (r *reactor) decideSweep(now rota.Elapsed) {
	if r.sweeping || r.left <= r.opts.Retention.Bytes/8 && !r.due(r.sweepAt, now) {
		return
	}
	r.sweeping, r.left = true, 0
	r.sweepAt = now + rota.Elapsed(sweepEvery)
	r.todo.sweep = true
}

// textFile is the full text of an ended attempt's stream in the output folder.
type textFile struct {
	name    string
	try     rota.Try
	stream  rota.Stream // empty: it is the copy of a file that the attempt left
	size    int64
	written time.Time
}

// textName is the file's name: the task as a plain number, the attempt, the stream.
func textName(t rota.Try, s rota.Stream) string {
	return strconv.FormatInt(int64(t.Task), 10) + "." + strconv.Itoa(t.Attempt) + "." + string(s)
}

func parseTextName(name string) (t rota.Try, s rota.Stream, ok bool) {
	task, rest, _ := strings.Cut(name, ".")
	attempt, stream, _ := strings.Cut(rest, ".")
	id, err1 := strconv.ParseInt(task, 10, 64)
	number, err2 := strconv.Atoi(attempt)
	t, s = rota.Try{Task: rota.TaskID(id), Attempt: number}, rota.Stream(stream)
	ok = err1 == nil && err2 == nil && (s == rota.Stdout || s == rota.Stderr) && textName(t, s) == name
	return t, s, ok
}

// parseCopyName is for the copies that the keeper makes of what attempts left: those of attempts that are not held are left
// from a time that ended early.
func parseCopyName(name string) (t rota.Try, ok bool) {
	task, rest, _ := strings.Cut(name, ".")
	attempt, number, ok := strings.Cut(rest, ".artifact-")
	id, err1 := strconv.ParseInt(task, 10, 64)
	n, err2 := strconv.Atoi(attempt)
	_, err3 := strconv.ParseUint(number, 10, 31)
	return rota.Try{Task: rota.TaskID(id), Attempt: n}, ok && err1 == nil && err2 == nil && err3 == nil
}

// listTexts brings the loop the full texts there are.
func (n *Node) listTexts() {
	files, err := n.texts()
	if err != nil {
		n.log.Warn("output folder not swept", "err", err)
	}
	wall := time.Now() // as files' times are
	n.post(func(r *reactor, _ rota.Elapsed) { r.listed(files, wall) })
}

// listed is told which full texts there are, and has those removed that are over the age or the bytes that may stay.
// The texts of attempts that the node holds are still needed: whatever is listed and not held has been recorded.
func (r *reactor) listed(files []textFile, wall time.Time) {
	r.sweeping = false
	files = slices.DeleteFunc(files, func(f textFile) bool { return r.held[f.try] != nil })
	for _, f := range overdue(files, r.opts.Retention, wall) {
		r.todo.spent = append(r.todo.spent, filepath.Join(r.opts.Dir, "output", f.name))
	}
}

// overdue is what must go of the files, the oldest first, so that none is too old, and all together are not too much.
func overdue(files []textFile, limit Retention, now time.Time) []textFile {
	slices.SortFunc(files, func(a, b textFile) int {
		return cmp.Or(a.written.Compare(b.written), cmp.Compare(a.name, b.name))
	})
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	n := 0
	for ; n < len(files); n++ {
		if f := files[n]; now.Sub(f.written) <= limit.Age && total <= limit.Bytes {
			break
		}
		total -= files[n].size
	}
	return files[:n]
}

// texts are the full texts in the output folder, and copies of what attempts left. Other files there are not ours to touch.
func (n *Node) texts() ([]textFile, error) {
	entries, err := os.ReadDir(n.outputDir())
	var files []textFile
	for _, e := range entries {
		t, s, ok := parseTextName(e.Name())
		if !ok {
			t, ok = parseCopyName(e.Name())
		}
		if !ok || !e.Type().IsRegular() {
			continue
		}
		info, e1 := e.Info()
		if e1 != nil {
			continue // gone meanwhile
		}
		files = append(files, textFile{e.Name(), t, s, info.Size(), info.ModTime()})
	}
	return files, err
}
