package rules

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

var crlCadence = series{{
	ID: "cadence-crl", N: 24 * 60, Unit: Minutes, InForce: since(2016, 1, 1),
	Text:   Text{"失効情報ファイル（CRL）は毎日更新される（時刻は非公開）。", "The revocation file (CRL) is renewed every day, at a time that is not published."},
	Source: cite(guideJPKI, "3.3", "3.3", Official),
}}

var ocspCadence = series{{
	ID: "cadence-ocsp", N: 15, Unit: Minutes, InForce: since(2016, 1, 1),
	Text:   Text{"OCSPレスポンダの情報は15分ごとに更新される。", "The OCSP responder's data are renewed every 15 minutes."},
	Source: cite(guideJPKI, "3.3", "3.3", Official),
}}

var verifierWindow = series{{
	ID: "verifier-window", InForce: always(),
	Text: Text{"失効の効力は機構が記録した時に生じ、CRL・OCSPはそれを後から公表する。その間、検証者には有効に見える。",
		"A revocation takes effect when the Agency records it; CRL and OCSP publish it later. In between, the certificate looks good to a verifier."},
	Source: cite(actJPKI, "12条・15条", "arts. 12 and 15", Ancestor),
}}

var failClosed = series{{
	ID: "fail-closed", InForce: always(),
	Text: Text{"次回更新日時を過ぎたCRLや取得できない失効情報では、有効と判断しない。一時停止は拒否とする。",
		"A CRL past its next update, or status that cannot be had, is never good; a suspension is a refusal."},
	Source: cite(guideJPKI, "", "", Secondary),
}}

func cadenceRules() []series { return []series{crlCadence, ocspCadence, verifierWindow, failClosed} }

// Cadence gives how often the Agency publishes status on a day: CRL and OCSP. Both are 0 before 2016.
func Cadence(on jitsuin.Date) (crl, ocsp time.Duration) {
	return time.Duration(crlCadence.n(on)) * time.Minute, time.Duration(ocspCadence.n(on)) * time.Minute
}
