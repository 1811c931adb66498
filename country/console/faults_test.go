package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/web"
)

// fault presses the button of a fault on a person's page, and reads the page that follows.
func (v *visitor) fault(subject jitsuin.ID, name fault.Name) string {
	v.t.Helper()
	status, leads, text := v.do(http.MethodPost, "/people/"+string(subject)+"/fault", url.Values{"fault": {string(name)}})
	if status != http.StatusSeeOther {
		v.t.Fatalf("%s: %d %s", name, status, text)
	}
	return v.read(strings.TrimSuffix(leads, "#fault"))
}

// aFaultyCard lets a card go wrong in each way: what the holder, the firm and the platform say, and that nothing is
// recorded of it.
func aFaultyCard(t *testing.T, v *visitor) {
	who := v.somebody(3)
	v.press(who.ID, "apply")
	v.press(who.ID, "handover")
	home := "/people/" + string(who.ID)
	page, before := v.read(home), v.traces(who.ID)
	v.says(page, "faults.title")
	v.silent(page, "faults.now")

	// The platform refuses certificates with a bit changed; no account is opened.
	v.says(v.fault(who.ID, fault.TamperedFile), "faults.now", "faults.tampered-file.name", "faults.tampered-file.about", "faults.end")
	v.says(v.press(who.ID, "sign"), "firm.outcome.issuer-unknown.title", "firm.outcome.issuer-unknown.means")
	v.says(v.press(who.ID, "login"), "firm.login.issuer-unknown.title")
	v.silent(v.fault(who.ID, fault.None), "faults.now")
	v.says(v.press(who.ID, "sign"), "console.result.sign.what") // the first account, and not one that is known

	// The holder notices a clone before anything leaves this machine.
	v.fault(who.ID, fault.Clone)
	for _, act := range []string{"sign", "login"} {
		v.says(v.press(who.ID, act), "errors.card-key-differs.title")
	}
	v.fault(who.ID, fault.None)

	// What happens once ends by happening: the next try succeeds.
	for f, told := range map[fault.Name]string{fault.Removed: "errors.card-gone.title", fault.WrongPIN: "errors.pin-wrong.title"} {
		v.says(v.fault(who.ID, f), "faults."+string(f)+".name")
		v.says(v.press(who.ID, "login"), told)
		page := v.read(home)
		v.silent(page, "faults.now")
		if left := "2"; f == fault.WrongPIN && !strings.Contains(page, strings.ReplaceAll(said(web.EN, "console.card.tries.auth"), "{n}", left)) {
			t.Error("the wrong PIN has cost no try")
		}
		v.says(v.press(who.ID, "login"), "console.result.login.what")
	}

	// What nobody asks about in a login does no harm to it.
	v.says(v.fault(who.ID, fault.WrongDigest), "faults.wrong-digest.name")
	v.says(v.press(who.ID, "login"), "console.result.login.what")

	// A slow card takes longer and succeeds.
	v.slow(who.ID, 20*time.Millisecond)
	begun := time.Now()
	v.says(v.press(who.ID, "login"), "console.result.login.what")
	if took := time.Since(begun); took < 200*time.Millisecond { // far more than ten commands
		t.Errorf("a slow card has logged in within %v", took)
	}
	v.says(v.read(home), "faults.slow.name")
	v.silent(v.fault(who.ID, fault.None), "faults.now")

	// A PIN that is used up is so for good: ending the fault does not help, and the page says where to go.
	v.silent(v.fault(who.ID, fault.SignPINBlocked), "faults.now")
	v.fault(who.ID, fault.None)
	v.refused(who.ID, "sign", "pin-blocked")
	v.says(v.press(who.ID, "login"), "console.result.login.what")

	for _, bad := range []string{"", "rubbish", string(fault.ExpiredCertificate)} {
		status, _, _ := v.do(http.MethodPost, home+"/fault", url.Values{"fault": {bad}})
		if bad != "" && status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
			t.Errorf("the fault %q: %d", bad, status)
		}
	}
	if after := v.traces(who.ID); after != before {
		t.Errorf("a fault has left something at the town: %s before, %s after", before, after)
	}
}

// slow makes the card of a person slow, by less than a button does.
func (v *visitor) slow(subject jitsuin.ID, delay time.Duration) {
	v.t.Helper()
	r, err := v.counter(v.somebody(3).Municipality).Resident(v.t.Context(), subject)
	v.must(err)
	faults, err := v.w.Faults(host.ClientOptions{})
	v.must(err)
	set, err := faults.Set(v.t.Context(), r.Card, fault.Setting{Name: fault.Slow, Delay: delay})
	if err != nil || set.Name != fault.Slow {
		v.t.Fatalf("%+v %v", set, err)
	}
}

// silent is the opposite of says.
func (v *visitor) silent(text, key string) {
	v.t.Helper()
	if strings.Contains(text, said(web.EN, key)) {
		v.t.Errorf("%s is to be read in: %s", key, strings.Join(strings.Fields(text), " "))
	}
}
