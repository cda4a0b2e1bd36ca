package rota

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// JobID names a job. Ids start at 1 and grow in the order in which the store accepted the jobs.
type JobID int64

func (j JobID) String() string { return strconv.FormatInt(int64(j), 10) }

// TaskID names a task, and through it the job: the upper 39 bits are the job, the lower 24 the element. Tasks of
// one job are therefore neighbours, and ids sort by job, then by element. A plain job's only task is written as
// the job, "42"; the element of an array with index 17 is written "42.17".
type TaskID int64

const elementBits = 24

// MaxIndex is the greatest index that an element of an array may have.
const MaxIndex = 1<<elementBits - 2

// MaxJobID is the greatest job id whose tasks still have ids.
const MaxJobID = JobID(math.MaxInt64 >> elementBits)

// PlainTask is the only task of a job that is not an array.
func PlainTask(j JobID) TaskID { return TaskID(int64(j) << elementBits) }

// Element is the task with an index of an array job. The index is 0 to MaxIndex.
func Element(j JobID, index int) TaskID { return TaskID(int64(j)<<elementBits | int64(index+1)) }

// Job is the job that the task belongs to.
func (t TaskID) Job() JobID { return JobID(t >> elementBits) }

// IsElement reports whether the task is an element of an array rather than the one task of a plain job.
func (t TaskID) IsElement() bool { return t&(1<<elementBits-1) != 0 }

// Index is the element's index within its array, and 0 for a plain job's task.
func (t TaskID) Index() int {
	if !t.IsElement() {
		return 0
	}
	return int(t&(1<<elementBits-1)) - 1
}

// Tasks are the lowest and the highest id that a task of the job can have.
func (j JobID) Tasks() (first, last TaskID) {
	return PlainTask(j), TaskID(int64(j)<<elementBits | (1<<elementBits - 1))
}

func (t TaskID) String() string {
	if t == 0 {
		return ""
	}
	if t.IsElement() {
		return t.Job().String() + "." + strconv.Itoa(t.Index())
	}
	return t.Job().String()
}

// ParseTaskID reads "42" or "42.17".
func ParseTaskID(s string) (TaskID, error) {
	job, index, element := strings.Cut(s, ".")
	j, err := ParseJobID(job)
	if err != nil {
		return 0, Invalid("task %q: not an id; write a job's number, or JOB.INDEX for an element of an array", s)
	}
	if !element {
		return PlainTask(j), nil
	}
	i, err := strconv.ParseUint(index, 10, 31)
	if err != nil || i > MaxIndex {
		return 0, Invalid("task %q: the index after the point must be a number from 0 to %d", s, MaxIndex)
	}
	return Element(j, int(i)), nil
}

// ParseJobID reads a job's number.
func ParseJobID(s string) (JobID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || JobID(n) > MaxJobID || s[0] == '+' {
		return 0, Invalid("job %q: not a job's number", s)
	}
	return JobID(n), nil
}

// MarshalText writes the task as people write it: "42.17".
func (t TaskID) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote. No text is no task.
func (t *TaskID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = 0
		return nil
	}
	id, err := ParseTaskID(string(b))
	if err != nil {
		return err
	}
	*t = id
	return nil
}

// Try names one attempt of one task. The attempt number is the fencing token: it only grows, and a write that
// carries an older one than the store holds is refused with ErrLeaseLost.
type Try struct {
	Task    TaskID `json:"task"`
	Attempt int    `json:"attempt"`
}

func (t Try) String() string { return fmt.Sprintf("%v#%d", t.Task, t.Attempt) }
