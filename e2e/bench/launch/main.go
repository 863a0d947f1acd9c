// Command launch runs a program with its own stdin and stdout, and prints the peak memory of the
// program to stderr, in KiB. In a program's peak the kernel includes the memory of the process that
// started it, so launch is as small as possible.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	child, err := os.StartProcess(os.Args[1], os.Args[1:], &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, nil}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	state, err := child.Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, state.SysUsage().(*syscall.Rusage).Maxrss)
}
