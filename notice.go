package rota

// Notice is what one server of a store tells the others, so that they need not wait for their next look. It only hastens:
// a notice may be lost, come late or come twice.
type Notice string

const (
	NoticeReady  Notice = "ready"  // something may have become claimable
	NoticeEnding Notice = "ending" // running attempts may have been asked to end
	NoticeLook   Notice = "look"   // somebody would see what a running attempt writes
)

// Notices are all there are.
var Notices = []Notice{NoticeReady, NoticeEnding, NoticeLook}
