package jukinet

import "io/fs"

// Migrations are the tables of the actor's database, for who looks at one without opening the actor.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return files
}
