// Package records is the tenants' vaults: the records that laws ask of whoever relies on a signature (確認記録,
// 本人確認記録, 帳簿, 取引記録), from the check that makes them to the day on which they are destroyed.
//
// It owns the tables vault_records and record_*. A record grows by entries, each chained to the one before; nothing that
// was written is changed or erased before the record's time is over. It never decides what a record must have or how
// long it is kept: package rules does. It must never give one tenant another's record, and of the attachment the answer
// of the status origin stays in the vault (JPKI Act art. 52).
//
// Where to begin: make.go (a check becomes a record), grow.go (amendments and contracts), hold.go (under dispute),
// destroy.go (the last day is over).
package records
