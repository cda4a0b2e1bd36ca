package api

import (
	"crypto/rand"
	"fmt"
	"time"
)

// NewKey makes an idempotency key for a submit (P20), unique by 128 random bits. Keys begin with the time in
// milliseconds: those made one after the other stand side by side in the store, which then writes fewer pages.
func NewKey() string { return fmt.Sprintf("%011x-%s", time.Now().UnixMilli(), rand.Text()) }
