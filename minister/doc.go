// Package minister is the competent minister (主務大臣): which verifiers (署名検証者) are accredited
// (認定), since when and until when, and what was decided about them: suspension, its lifting, withdrawal.
//
// It owns accreditations, the history of decisions on each, and the feed that tells J-LIS and the
// verifiers. It must never touch residents' data, certificates or what a verifier checked for whom.
package minister
