//go:build !linux

package main

import "golang.org/x/sys/unix"

// duplicate makes one descriptor another.
func duplicate(from, to int) error { return unix.Dup2(from, to) }
