//go:build unix

package credhelper

import (
	"errors"
	"syscall"
)

// canOpenFiles reports whether two more files can be opened. Go's runtime wants two of its
// own for the first timer, and where it can't have them it ends the program with a
// trace, which nothing can prevent (runtime.netpollinit).
func canOpenFiles() bool {
	var pipe [2]int
	err := syscall.Pipe(pipe[:])
	if err == nil {
		syscall.Close(pipe[0])
		syscall.Close(pipe[1])
	}
	return !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
}
