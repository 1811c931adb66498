package card

// Switches decide what is not known for sure of real cards, or what sources disagree about. The
// zero value is what this package takes to be right. They are laid into a chip when it is made.
type Switches struct {
	// CheckNumberTries is how many tries the check numbers A and B (照合番号) and the date of birth
	// have; 0 means 10, the number in public documents, which nobody has reported from the wire.
	// At most 15, because 63Cx cannot tell more.
	CheckNumberTries int `json:",omitempty"`
	// BlockedQuery has VERIFY without data answer 6984 for a blocked PIN, not 63C0. OpenSC does
	// not bind such a card.
	BlockedQuery bool `json:",omitempty"`
	// VerifiedQuery has VERIFY without data answer 9000 while the PIN is verified, not 63Cx.
	// OpenSC does not bind such a card either.
	VerifiedQuery bool `json:",omitempty"`
	// Blocked6983 has a blocked PIN answer 6983, which JICSAP does not have and some clients expect.
	Blocked6983 bool `json:",omitempty"`
	// VisualNeedsCheckNumber has EFs 0003 and 0004 of the 券面事項確認AP need check number A or B;
	// they are free otherwise.
	VisualNeedsCheckNumber bool `json:",omitempty"`
	// EmptyAtEnd has READ BINARY exactly at the end of an EF answer 9000 without data, not 6B00.
	EmptyAtEnd bool `json:",omitempty"`
	// ReselectClears has selecting the current application again end its security status. JICSAP
	// reads as if it is kept, and pyjpki depends on that.
	ReselectClears bool `json:",omitempty"`
	// FreeSignCertificate has the signature certificate be read without its password, as one
	// source says against all others.
	FreeSignCertificate bool `json:",omitempty"`
}

// checkNumberTries gives the tries of check numbers.
func (s Switches) checkNumberTries() int {
	if s.CheckNumberTries == 0 {
		return 10
	}
	return s.CheckNumberTries
}

// blocked is the status word of a try at a blocked PIN.
func (s Switches) blocked() SW {
	if s.Blocked6983 {
		return SWBlocked6983
	}
	return SWBlocked
}
