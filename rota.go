// Package rota says what Rota is: its nouns, the moves a task may make, the kinds of error, and the two
// interfaces that carry the whole house.
//
//   - [Store] is what the server keeps: domain verbs, bulk by nature, one transaction each.
//   - [Service] is what users and nodes may ask. The server implements it in-process and api.Client over HTTP, so
//     the command line, a node and a page do not know which of the two they talk to.
//
// A user submits a job. A job has one task, or many when it is an array or has one task a line. A node's session
// claims tasks, tries them (an attempt), and finishes each attempt with a [Finish]. The state machine of a task is
// data: see [Moves].
//
// The package holds values only: nothing here touches a disk, a network, a database or the time of day.
package rota

// Version is the version of the running binary. The release build sets it with -ldflags.
var Version = "0.1.0-dev"
