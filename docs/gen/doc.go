// Gen writes the parts of the documentation that follow from the code: the states' diagram and table, the reference
// of the commands, the table of routes, and the tables of settings, limits and error kinds.
//
// It reads the repository and writes into docs/ only. A test fails when what it would write is not what stands there.
package main

//go:generate go run .
