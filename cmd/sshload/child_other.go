//go:build !linux

package main

import "syscall"

// endWithParent can do nothing here: a child whose starter was killed goes on.
func endWithParent() *syscall.SysProcAttr { return nil }
