package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the first major version the migrations are written for.
const oldestPostgres = 14

// programs are the executables the services need.
type programs struct {
	postgresBin string // the folder of initdb, postgres and pg_isready
	redis       string
}

// wanted says what is needed beside the two servers.
type wanted struct {
	race    bool // a C compiler, for the race detector
	browser bool // Chromium and Node, for internal/web/browser
}

// findPrograms looks for everything, installs what is missing where it may, and looks again.
func findPrograms(ctx context.Context, w wanted) (programs, error) {
	p, missing := look(ctx, w)
	if len(missing) == 0 {
		return p, nil
	}
	if err := install(ctx, missing); err != nil {
		return programs{}, err
	}
	if p, missing = look(ctx, w); len(missing) > 0 {
		return programs{}, fmt.Errorf("installed, but still not found: what Debian packages %s give", strings.Join(missing, ", "))
	}
	return p, nil
}

// look gives what is there and the Debian packages that hold what is not.
func look(ctx context.Context, w wanted) (p programs, missing []string) {
	if p.postgresBin = findPostgres(ctx); p.postgresBin == "" {
		missing = append(missing, "postgresql")
	}
	var err error
	if p.redis, err = exec.LookPath("redis-server"); err != nil {
		missing = append(missing, "redis-server")
	}
	if _, err := exec.LookPath("gcc"); w.race && err != nil {
		missing = append(missing, "gcc", "libc6-dev")
	}
	if w.browser {
		missing = append(missing, missingForPages()...)
	}
	return p, missing
}

// missingForPages gives the Debian packages of a browser and of what drives it that are not there. CHROME names another browser.
func missingForPages() (missing []string) {
	found := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	}
	if os.Getenv("CHROME") == "" && !found("chromium", "chromium-browser", "google-chrome") {
		missing = append(missing, "chromium")
	}
	if !found("node") {
		missing = append(missing, "nodejs")
	}
	if !found("npm") {
		missing = append(missing, "npm")
	}
	return missing
}

// findPostgres gives the folder of the newest PostgreSQL that is new enough, or nothing. Debian keeps its servers out of PATH.
func findPostgres(ctx context.Context) string {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed: no error is possible
	if inPath, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(inPath))
	}
	best, version := "", oldestPostgres-1
	for _, folder := range folders {
		if v := postgresVersion(ctx, folder); v > version {
			best, version = folder, v
		}
	}
	return best
}

var versionNumber = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// postgresVersion is the major version of the server in folder, 0 when there is none that runs.
func postgresVersion(ctx context.Context, folder string) int {
	for _, name := range []string{"initdb", "pg_isready"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return 0
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(folder, "postgres"), "--version").Output()
	m := versionNumber.FindSubmatch(out)
	if err != nil || m == nil {
		return 0
	}
	v, _ := strconv.Atoi(string(m[1])) // digits only; too many of them give 0
	return v
}

func install(ctx context.Context, packages []string) error {
	names := strings.Join(packages, " ")
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("the tests need PostgreSQL (%d or newer), Redis, Chromium and Node; please install what the Debian packages %s give (as root: apt-get install %s)",
			oldestPostgres, strings.Join(packages, ", "), names)
	}
	fmt.Fprintln(os.Stderr, "testrun: installing", names)
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)} {
		cmd := exec.CommandContext(ctx, apt, args...)
		// RUNLEVEL=1: the packages shall not start services of their own; ours are private.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}
