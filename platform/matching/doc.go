// Package matching compares the four items of a certificate with what a relying party has on file about its
// customer (顧客情報の突合): the same, the same in variant kanji (異体字), the same in another notation (表記揺れ),
// or different, and why.
//
// It judges texts and nothing else. Only rules that are written down here make two texts alike; what none of
// them explains is different, so that nobody is taken for somebody else. It knows no tenant, stores nothing
// and asks nobody; a caller must never write what it is given to a log.
package matching
