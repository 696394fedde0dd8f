//go:build !linux

package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Away from Linux a run that is itself killed may leave its servers behind, and root cannot lend them a user.

func attributes(owner) *syscall.SysProcAttr { return nil }

func inGroup(cmd *exec.Cmd) { cmd.WaitDelay = 5 * time.Second }

func quit(cmd *exec.Cmd) { _ = cmd.Process.Signal(os.Interrupt) }

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
