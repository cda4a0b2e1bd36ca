package server

import "sync"

// signal tells any number of waiters that something has happened, and counts how often. Who reads the count before
// looking at what it stands for, and waits only while it is the same, misses nothing.
type signal struct {
	mu    sync.Mutex
	count uint64
	next  chan struct{} // closed by the next raise; made when somebody waits
}

// raise says that it has happened, and returns the new count.
func (s *signal) raise() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
	return s.count
}

// now is how often it has happened, and a channel that is closed when it happens again.
func (s *signal) now() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.count, s.next
}

// counted is how often it has happened.
func (s *signal) counted() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
