// Package municipality is the town (市区町村): the basic resident register (住民基本台帳) with its
// changes (異動), the counter (窓口) with its cases, and the custody of chips until hand-over.
//
// It also keeps the town's ordinances (条例) on the free area of the card (空き領域), and as the provider of the
// seal-registration application (印鑑登録証) the numbers and who laid it on which card.
//
// It owns the residents with their two numbers, the record of every change and of who recorded
// it, moving-out certificates that have come, the cases of the counter, and the handles of chips
// that are here. Its feeds: topic "residents" tells the registry network of each change with the
// whole record and the two numbers; topic "applications" tells J-LIS who has applied and was
// checked; topic "ordinances" tells J-LIS by which ordinance the town may load what. It follows what the network and J-LIS send to this town.
//
// The counter's terminal is a client of this package's API: package terminal as code, package counter as
// pages in a browser, which the town serves at its own origin.
//
// It must never touch a private key or a PIN of a resident, and never issues or revokes: a
// certificate is J-LIS's. My Number and resident code leave this package in a notice to the
// network and nowhere else: no answer, no application, no log line and no error has them.
package municipality
