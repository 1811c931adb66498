// Package backup takes a copy of a running country, or of one running actor, into one encrypted file,
// and puts it back.
//
// It owns the form of the archive and the order in which things are copied and put back. A copy of a
// country is one cut through all its SQLite databases: for a moment none of them can commit, so none
// has read from another what that one has not yet. State folders, which must never be behind their
// database, are copied after the cut, chips last. Databases on PostgreSQL are left to PostgreSQL.
//
// Putting back never makes a number twice: every restored actor begins a new epoch of its feeds, J-LIS
// one of its serial numbers, and what was lost is named (package jlis, Recover). It never knows what is in
// a database beyond the tables of feeds and schemas.
package backup
