// Package feed carries changes from one actor to another: numbered change feeds.
//
// The sender's business transaction stores an event unnumbered (Append). A Sequencer numbers the
// committed events of each topic without gaps as (epoch, n, previous hash, hash), a subject's
// events in their order, and a Server gives them out over HTTP. A Follower reads them with a
// cursor, applies event and cursor in one transaction, and so gives each event its effect exactly
// once; a MemoryFollower does the same for processes without a database. An event carries the
// whole state of its subject, so the latest event of every subject is the feed's state (the snapshot).
//
// The package owns the tables feed_* in the actor's database and the high-water file beside it.
// It must never know what an event means, open a database by itself, or decide who may read.
package feed
