// Package at marks the places at which a process may be made to crash. In a binary that is built with the tag
// crashpoints, one that is told to kills itself there, as nothing can prevent; in any other binary a mark is nothing at
// all. It touches its own process, and the file that it leaves to tell that it was there.
package at
