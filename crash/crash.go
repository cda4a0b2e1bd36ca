// Package crash holds Rota to its promises while its node is killed at any moment. Its tests start the real binary,
// submit jobs of all kinds, kill the node again and again, and compare what the node says in the end with what a
// witness saw that stands outside of it.
//
// What is here besides tests is what they share with the witness (crash/witness, the command that the jobs run): the
// records of the witness, the text that jobs write, and a look at processes. It may touch the witness's file and /proc.
package crash
