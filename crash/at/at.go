// Package at marks the places at which a process may be made to crash, and those at which the system may be made to
// refuse something. In a binary that is built with the tag crashpoints, one that is told to kills itself there, as nothing
// can prevent, or is refused for as long as it is told; in any other binary a mark is nothing at all. It touches its own
// process, and the files by which it is told, and tells that it was there.
package at
