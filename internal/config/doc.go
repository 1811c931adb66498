// Package config reads configuration files strictly and says of everything that is wrong where it stands:
// file, line, column, member, and what to do. It also says what members there are (Reference).
//
// What a member must be is written at the struct's field: its type, and a tag `check` of rules separated by
// commas:
//
//	required                the member must be there
//	hostport                HOST:PORT with a port from 1 to 65535
//	database                an SQLite file whose folder can be made, or postgres://…
//	file                    a file that can be read
//	folder                  a folder that is there and can be read
//	private-key, public-key a PEM file with a P-256 key
//	instance=ROLE|ROLE      an instance ROLE:NAME; instance alone takes any role
//	listed                  an instance that is in the directory
//	origin                  http(s)://HOST without a path
//	one-of=A|B              one of these words
//	positive, not-negative  a number or a duration
//	range=A..B              a number; 0 stands for the default
//
// It never opens a database, a socket or an actor, and writes nothing.
package config
