// Package network gives tests hosts with addresses of their own, on this machine: network namespaces, joined by a switch,
// in which processes run that can be cut off from all others and joined again. Cables can be pulled; what is said can be
// dropped in one direction or in both, wholly, by chance, or beyond a rate.
//
// It touches namespaces and links that it made, by the programs ip and nft, and needs root on Linux: else the test is
// skipped, and says why. The namespaces have no names and live as long as what runs in them, so nothing of them is left
// when a test is killed.
package network

// Way is a direction, or both, as a host sees it.
type Way int

// What a host says, and what it hears.
const (
	Out Way = 1 << iota
	In
	Both = Out | In
)
