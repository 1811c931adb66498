// Package people makes the sample residents of the sandbox country from a seed: invented
// prefectures and towns, households, names, addresses and numbers that exist nowhere.
//
// It owns what the sample people are before anything happens to them and nothing else: no actor,
// no storage, no clock, no keys. The same seed and day always give the same country.
//
// No real person is meant. Every surname holds one of the letters 例, 試, 仮, 架 or 見本 (example,
// trial, provisional, fictitious, sample), or SAMPLE in Latin letters. My Numbers and resident
// codes begin with 0000 and have right check digits. No range of either is known to be reserved
// for tests; the prefix marks ours, and nothing connects one with a person.
package people
