// Package drawcache keeps the compiled code of the graphviz library in a folder of this user alone.
//
// go-graphviz compiles itself while the program is being initialised, keeps the machine code in the folder go-graphviz below the
// temporary one, and panics when that folder belongs to somebody else: who puts something there first could stop every other user's
// program, or have it run what it finds. The library offers no setting, so this package points it elsewhere for as long as it is being
// initialised. Go initialises the packages that are ready in the order of their paths: this one needs os alone and stands before
// github.com/tetratelabs/wazero, for which the library waits. Package flow imports both and calls Restore when they are done. A test
// of flow says that the order holds.
package drawcache

import (
	"os"
	"path/filepath"
)

// variable says where temporary files go, on Unix.
const variable = "TMPDIR"

// nowhere is a folder that cannot be made: then the library keeps nothing and compiles at each start, for a second or two.
const nowhere = "/dev/null/none"

// before is what the variable was while the library is pointed elsewhere.
var before = redirect()

type setting struct {
	value string
	set   bool
}

func redirect() setting {
	var was setting
	was.value, was.set = os.LookupEnv(variable)
	if err := os.Setenv(variable, own()); err != nil { // not of this name and value; the library would then do as before
		return was
	}
	return was
}

// own is the folder for this user's cache, or nowhere when there is none that can be written.
func own() string {
	caches, err := os.UserCacheDir()
	if err != nil {
		return nowhere
	}
	folder := filepath.Join(caches, "sua")
	inside := filepath.Join(folder, "go-graphviz") // as the library calls it
	if os.MkdirAll(inside, 0o700) != nil {
		return nowhere
	}
	probe, err := os.CreateTemp(inside, "probe-")
	if err != nil {
		return nowhere
	}
	if probe.Close() != nil || os.Remove(probe.Name()) != nil {
		return nowhere
	}
	return folder
}

// Restore gives temporary files their folder back. It returns whether it could, so that a package may call it while it is initialised.
func Restore() bool {
	if before.set {
		return os.Setenv(variable, before.value) == nil
	}
	return os.Unsetenv(variable) == nil
}
