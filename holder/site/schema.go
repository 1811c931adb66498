package site

import "io/fs"

// Migrations are the tables of the actor's database, for who looks at one without opening the actor.
func Migrations() fs.FS { return folder("migrations") }
