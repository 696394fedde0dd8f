package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"time"
)

// server is a running child. Its log may be read only after done is closed.
type server struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	done chan struct{}
}

// stop asks the server to end, and ends it by force when it does not.
func (r *server) stop() error {
	quit(r.cmd)
	select {
	case <-r.done:
		return nil
	case <-time.After(stopLimit):
	}
	kill(r.cmd)
	<-r.done
	return fmt.Errorf("%s had to be killed", r.cmd.Path)
}

// owner is the user the servers run as. PostgreSQL refuses root, so root lends them another.
type owner struct {
	name     string
	other    bool // a user that is not ours
	uid, gid int
}

func findOwner() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{name: "the current user"}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil && uid > 0 {
			return owner{name: name, other: true, uid: uid, gid: gid}, nil
		}
	}
	return owner{}, fmt.Errorf("running as root, and neither user postgres nor nobody exists to run the servers")
}

func (o owner) take(path string) error {
	if !o.other {
		return nil
	}
	return os.Chown(path, o.uid, o.gid)
}

// command prepares a program to run as the owner, in a group of its own: Ctrl-C is for us, who then stop it in order.
func (o owner) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = attributes(o)
	// A clean environment: PGDATA, PGHOST and the like of the caller must not lead the server elsewhere.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	return cmd
}
