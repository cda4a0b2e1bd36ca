package rota

// OnStoreLoss says what becomes of a running attempt whose node has lost the store: "kill" ends it with the node's
// lease, a length of time such as "10m" lets it go on so long past that, "run" lets it go on to its end (P8). Empty is
// the node's own rule.
type OnStoreLoss string

const (
	StoreLossKill OnStoreLoss = "kill"
	StoreLossRun  OnStoreLoss = "run"
)

// ParseOnStoreLoss reads kill, run or a length of time; one of no length is kill.
func ParseOnStoreLoss(text string) (OnStoreLoss, error) {
	switch o := OnStoreLoss(text); o {
	case StoreLossKill, StoreLossRun:
		return o, nil
	}
	d, err := ParseDuration(text)
	if err != nil {
		return "", Invalid("on store loss %q: write kill, run, or a length of time such as 10m", text)
	}
	if d == 0 {
		return StoreLossKill, nil
	}
	return OnStoreLoss(d.String()), nil
}

// Tolerance is how long past the end of the lease an attempt goes on: 0 not at all, negative for ever. Empty, and what
// is no rule, is for ever: nothing is ended for want of a rule.
func (o OnStoreLoss) Tolerance() Duration {
	switch o {
	case StoreLossKill:
		return 0
	case "", StoreLossRun:
		return -1
	}
	d, err := ParseDuration(string(o))
	if err != nil {
		return -1
	}
	return d
}

// StoreLossAfter is the rule with a tolerance.
func StoreLossAfter(tolerance Duration) OnStoreLoss {
	switch {
	case tolerance < 0:
		return StoreLossRun
	case tolerance == 0:
		return StoreLossKill
	}
	return OnStoreLoss(tolerance.String())
}

func (o OnStoreLoss) check() error {
	if o == "" {
		return nil
	}
	_, err := ParseOnStoreLoss(string(o))
	return err
}
