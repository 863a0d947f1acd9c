// Command launch runs a program, with its own stdin and stdout, and prints the peak
// of its memory in KiB to stderr. The kernel counts as a program's peak that of the process
// it was started from, too; that of launch is as small as can be.
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
