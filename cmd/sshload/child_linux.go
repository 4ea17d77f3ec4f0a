package main

import "syscall"

// endWithParent has the kernel end a child whose starter was killed.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
