// Package rules is the law of the public personal authentication system as data and pure
// functions: how long cards and certificates are valid, what ends them, who may have them, which
// record is kept until when, which letter of which ordinance applies on a day.
//
// Every number stands in a Rule with the days on which it is in force, its citation and how sure
// we are of it; Register lists them all and WriteRegister prints them. Functions read their
// numbers from those rules and from nowhere else.
//
// Statutes marked Ancestor were read in the text of November 2013. The Act on certification
// business (公的個人認証法) has kept its skeleton since: read the Agency (機構, J-LIS) for the
// prefectural governor, signature certificate for certificate, My Number Card for resident card.
//
// The package imports the vocabulary and nothing else. It must never touch a clock, a store or
// a network: every date is a parameter, and all days are days in Japan.
package rules
