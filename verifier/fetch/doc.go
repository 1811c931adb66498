// Package fetch gets revocation lists by HTTP and LDAP and puts them into the folder of a status.Folder: whole, durable,
// and never an older one in the place of a newer.
//
// It owns the conversation with the places that publish lists, their bounds, the names of the files that it writes, and
// what is remembered of each place (.fetch.json in the folder, also for another process). It believes nothing that
// status.Folder would not, and follows no LDAP referral. It knows no signature and no page.
package fetch
