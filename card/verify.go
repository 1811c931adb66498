package card

import "slices"

// pinReference finds the PIN file that P2 names.
func (c *Chip) pinReference(p2 byte) (*file, SW) {
	f, sw := c.byReference(p2)
	if sw == SWOK && f.Kind != pinFile {
		return nil, SWIncompatibleFile
	}
	return f, sw
}

// triesLeft is 63Cx.
func triesLeft(p *pinState) SW { return SWTries | SW(min(max(p.Tries, 0), 15)) }

// verify is VERIFY (00 20). Without data it asks for the tries left and gets 63Cx, also when the PIN
// is verified or blocked (see Switches). With data it is a try: the counter is written down, one
// lower, before the comparison, and filled again after a right one. A power cut in between thus
// costs a try and never gives one.
func (c *Chip) verify(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 {
		return nil, SWWrongP1P2
	}
	f, sw := c.pinReference(cmd.P2)
	if sw != SWOK {
		return nil, sw
	}
	if len(cmd.Data) == 0 {
		return nil, c.queried(f)
	}
	if f.PIN.Tries <= 0 {
		return nil, c.image.Switches.blocked()
	}
	delete(c.session.verified, f.ID)
	f.PIN.Tries--
	if !c.store() {
		return nil, SWMemoryFailure
	}
	if !f.PIN.matches(cmd.Data) {
		return nil, triesLeft(f.PIN)
	}
	f.PIN.Tries = f.PIN.Max
	if !c.store() {
		return nil, SWMemoryFailure
	}
	c.session.verified[f.ID] = true
	return nil, SWOK
}

// queried is what VERIFY without data answers.
func (c *Chip) queried(f *file) SW {
	switch s := c.image.Switches; {
	case s.VerifiedQuery && c.session.verified[f.ID]:
		return SWOK
	case s.BlockedQuery && f.PIN.Tries <= 0:
		return s.blocked()
	}
	return triesLeft(f.PIN)
}

// changeReferenceData is CHANGE REFERENCE DATA (00 24 01): a new PIN after VERIFY of the old.
func (c *Chip) changeReferenceData(cmd Command) ([]byte, SW) {
	if cmd.P1 != 1 {
		return nil, SWWrongP1P2
	}
	return c.change(cmd, changeReference)
}

// changeKey is CHANGE KEY (80 32 00): the same where an application has its PIN as a key.
func (c *Chip) changeKey(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 {
		return nil, SWWrongP1P2
	}
	return c.change(cmd, changeKey)
}

func (c *Chip) change(cmd Command, with changeWith) ([]byte, SW) {
	f, sw := c.pinReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.PIN.Change != with:
		return nil, SWConditions
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case !c.session.verified[f.ID]:
		return nil, SWSecurityStatus
	case !f.PIN.Format.accepts(cmd.Data):
		return nil, SWWrongData
	}
	f.PIN.set(cmd.Data)
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}

// resetRetryCounter is RESET RETRY COUNTER (80 2C 00), ours: a terminal sets a new PIN and fills
// the counter. The PIN is not verified afterwards.
func (c *Chip) resetRetryCounter(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 {
		return nil, SWWrongP1P2
	}
	if c.session.terminal == "" {
		return nil, SWSecurityStatus
	}
	f, sw := c.pinReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case !slices.Contains(f.PIN.Reset, c.session.terminal):
		return nil, SWSecurityStatus
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case !f.PIN.Format.accepts(cmd.Data):
		return nil, SWWrongData
	}
	delete(c.session.verified, f.ID)
	f.PIN.set(cmd.Data)
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}
