package host

import "testing"

func TestVerdictsOfPINs(t *testing.T) {
	verify := []byte{0x00, 0x20, 0x00, 0x80, 0x04, '1', '2', '3', '4'}
	for _, c := range []struct {
		name              string
		command, response []byte
		want              Verdict
		is                bool
	}{
		{"right", verify, []byte{0x90, 0x00}, PINRight, true},
		{"wrong", verify, []byte{0x63, 0xC2}, PINWrong, true},
		{"the last try", verify, []byte{0x63, 0xC0}, PINBlocked, true},
		{"blocked before", verify, []byte{0x69, 0x84}, PINRefused, true},
		{"a question for the tries left", []byte{0x00, 0x20, 0x00, 0x80}, []byte{0x63, 0xC3}, "", false},
		{"another command", []byte{0x00, 0xA4, 0x04, 0x0C, 0x02, 0x01, 0x02}, []byte{0x90, 0x00}, "", false},
		{"no answer", verify, nil, "", false},
	} {
		if v, is := verdictOf(c.command, c.response); v != c.want || is != c.is {
			t.Errorf("%s: %q %v", c.name, v, is)
		}
	}
}
