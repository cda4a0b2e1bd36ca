package folder

import (
	"crypto/rand"
	"errors"
	"syscall"
)

func random() string { return rand.Text() }

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
