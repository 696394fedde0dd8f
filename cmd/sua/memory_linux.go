package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// releaseProgram gives back the pages of the program's own file: the start has been through most of them, to describe the API and to
// compile the workflows, and serving needs some three fifths of it. The kernel maps a page again, out of its cache, when it is used. What
// somebody can write or has written stays; where any of this is not allowed, everything does.
func releaseProgram() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var from, to uintptr // 0: not of the program
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		var a, b uintptr
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &a, &b, &rights); n == 3 { // 00400000-01a3d000 r-xp 00000000 fe:00 2365 /usr/bin/sua
			if from = a; rights[1] == 'w' || !strings.HasSuffix(line, " "+exe) {
				from = 0
			}
			to = b
		}
		if from > 0 && strings.HasPrefix(line, "Anonymous:") && strings.HasSuffix(line, " 0 kB") {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
		}
	}
}
