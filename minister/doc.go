// Package minister is the competent minister (主務大臣): which verifiers (署名検証者) are accredited
// (認定), since when and until when, and what was decided about them: suspension, its lifting, withdrawal.
//
// It also keeps the register of designations: which public bodies and private operators may use the free
// area (空き領域) of the card, for what, under which name on the chip, from when until when.
//
// It owns accreditations and designations, the history of decisions on each, and the feeds that tell J-LIS and the
// verifiers. It must never touch residents' data, certificates or what a verifier checked for whom.
package minister
