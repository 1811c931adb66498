package rules

import "github.com/jitsuin/jitsuin"

// FeeItem is something that costs a fee, or is free.
type FeeItem string

const (
	FeeFirstCard    FeeItem = "first-card"     // 初回交付・有効期間満了による再交付
	FeeReissue      FeeItem = "card-reissue"   // 本人の責めによる再交付
	FeeCertificates FeeItem = "certificates"   // 再交付に伴う電子証明書の発行（2種類でも同額）
	FeeExpress      FeeItem = "card-express"   // 特急発行による再交付（電子証明書を除く）
	FeeSignCheck    FeeItem = "sign-check"     // 署名用電子証明書の有効性確認
	FeeAuthCheck    FeeItem = "auth-check"     // 利用者証明用電子証明書の有効性確認
	FeeSignCheckCRL FeeItem = "sign-check-crl" // 同・CRL提供方式
	FeeAuthCheckCRL FeeItem = "auth-check-crl"
	FeeLatestItems  FeeItem = "latest-items" // 最新4情報提供
	FeeNothingNew   FeeItem = "latest-items-nothing-new"
)

func fee(item FeeItem, yen int, f InForce, ja, en string, s Source) Rule {
	return Rule{ID: "fee-" + string(item), N: yen, Unit: Yen, InForce: f, Text: Text{ja, en}, Source: s}
}

// Fees lists the fees through time.
func Fees() []Rule {
	town := cite(cardGuide, "（手数料）", "fees", Secondary, "Set by the ordinance of each municipality or by the Agency; these are the usual ones.")
	agency := cite(guideJPKI, "3.3・5.1.2", "3.3 and 5.1.2", Official)
	card, paid, free := since(2016, 1, 1), between(day(2016, 1, 1), day(2022, 12, 31)), since(2023, 1, 1)
	rules := []Rule{
		fee(FeeFirstCard, 0, card, "初回の交付と有効期間満了による再交付は無料。", "The first card, and the next one upon expiry, are free.", town),
		fee(FeeReissue, 800, card, "紛失など本人の責めによる再交付は800円。", "Re-issue for the holder's own fault costs 800 yen.", town),
		fee(FeeCertificates, 200, card, "再交付に伴う電子証明書の発行は200円（2種類でも同額）。", "Certificates with a re-issued card cost 200 yen, one or both.", town),
		fee(FeeExpress, 1800, since(2024, 12, 2), "特急発行による再交付は1,800円（電子証明書を含め2,000円）。", "Express re-issue costs 1,800 yen (2,000 with certificates).", town),
		fee(FeeLatestItems, 20, since(2023, 5, 16), "最新4情報提供は、新しい情報がある場合に1件20円。", "The latest four items cost 20 yen where there is something new.", agency),
		fee(FeeNothingNew, 0, since(2023, 5, 16), "最新4情報提供は、新しい情報がない場合は無料。", "The latest four items cost nothing where there is nothing new.", agency),
	}
	for _, c := range []struct {
		item   FeeItem
		yen    int
		ja, en string
		note   string
	}{
		{FeeSignCheck, 20, "署名用電子証明書の有効性確認（OCSP）", "Checking a signature certificate (OCSP)", "\"For the present three years\" from 2023; still free on a page of September 2026."},
		{FeeAuthCheck, 2, "利用者証明用電子証明書の有効性確認（OCSP）", "Checking an authentication certificate (OCSP)", "\"For the present three years\" from 2023; still free on a page of September 2026."},
		{FeeSignCheckCRL, 20, "署名用電子証明書の有効性確認（CRL）", "Checking a signature certificate (CRL)", "Free for good."},
		{FeeAuthCheckCRL, 2, "利用者証明用電子証明書の有効性確認（CRL）", "Checking an authentication certificate (CRL)", "Free for good."},
	} {
		now := agency
		now.Note = c.note
		rules = append(rules, fee(c.item, c.yen, paid, c.ja+"は有料。", c.en+" costs a fee.", agency),
			fee(c.item, 0, free, c.ja+"は無料。", c.en+" is free.", now))
	}
	return rules
}

// FeeOf gives the fee in yen, as the number of its rule, on a day; it fails with kind Invalid
// where no fee is set for the item on that day.
func FeeOf(item FeeItem, on jitsuin.Date) (Rule, error) {
	for _, r := range Fees() {
		if r.ID == "fee-"+string(item) && r.InForce.Covers(on) {
			return r, nil
		}
	}
	return Rule{}, jitsuin.Errorf(jitsuin.Invalid, "fee-unknown", "no fee is known for %q on %v", item, on)
}

// Use is something that the Agency does for a verifier and that has a fee.
type Use string

const (
	UseStatus     Use = "status"                   // 有効性確認: an answer about one certificate
	UseLatest     Use = "latest-items"             // 最新4情報提供: something was new
	UseNothingNew Use = "latest-items-nothing-new" // 最新4情報提供: nothing was
)

// Ways to ask for status (提供方式), as UseFee takes them.
const (
	ByOCSP = "ocsp"
	ByCRL  = "crl"
)

// UseFee gives the fee in yen, as the number of its rule, for what was used on a civil day. kind and method
// count for UseStatus alone. It fails with kind Invalid for what the list of fees does not have.
//
// These are the Agency's fees. What a platform operator charges its tenants is its price (one vendor's
// list counts CRL checks once per certificate and month) and no rule.
func UseFee(u Use, kind jitsuin.CertKind, method string, on jitsuin.Date) (Rule, error) {
	items := map[Use]FeeItem{UseLatest: FeeLatestItems, UseNothingNew: FeeNothingNew}
	checks := map[jitsuin.CertKind]map[string]FeeItem{
		jitsuin.SignCert: {ByOCSP: FeeSignCheck, ByCRL: FeeSignCheckCRL},
		jitsuin.AuthCert: {ByOCSP: FeeAuthCheck, ByCRL: FeeAuthCheckCRL},
	}
	item := items[u]
	if u == UseStatus {
		item = checks[kind][method]
	}
	if item == "" {
		return Rule{}, jitsuin.Errorf(jitsuin.Invalid, "fee-unknown", "the list of fees has no %q of %q by %q", u, kind, method)
	}
	return FeeOf(item, on)
}
