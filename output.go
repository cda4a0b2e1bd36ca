package rota

// Stream is one of the two output streams of an attempt.
type Stream string

const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// Artifact is the pattern, and then the name, of all that an attempt writes to the stream as an artifact, however much more it
// is than OutputCap.
func (s Stream) Artifact() string { return "@" + string(s) }

// OutputCap is how much of each stream is kept in the store by default: all of it if it is no longer, else the
// first and the last half of the cap.
const OutputCap = 64 << 10

// InlineOutput is how much output a Finish carries itself; more is kept by KeepOutput before (P14).
const InlineOutput = 16 << 10

// Chunk is a piece of an attempt's output as it is kept. The pieces of one stream do not overlap; where they leave
// a gap, the text between was cut.
type Chunk struct {
	Stream Stream `json:"stream"`
	Offset int64  `json:"offset" doc:"of its first byte in the whole stream"`
	Total  int64  `json:"total" doc:"length of the whole stream"`
	Data   []byte `json:"data"`
}

// OutputQuery asks for a piece of output.
type OutputQuery struct {
	Task    TaskID
	Attempt int // 0: the latest
	Stream  Stream
	Offset  int64 // negative: that many bytes before the end
	Max     int   // bytes at most; 0: the server's choice
}

// Output is a piece of output. A reader goes on at Offset + len(Data).
type Output struct {
	Attempt int    `json:"attempt"`
	Offset  int64  `json:"offset" doc:"of the first byte of data; later than asked where text was cut"`
	Data    []byte `json:"data"`
	Size    int64  `json:"size" doc:"length of the stream so far"`
	Cut     int64  `json:"cut,omitempty" doc:"bytes between the offset asked for and the offset given that were not kept"`
	Ended   bool   `json:"ended" doc:"the attempt has ended: nothing more will come after Size"`
	File    string `json:"file,omitempty" doc:"the job's own output file, when it went there and not to Rota"`
}
