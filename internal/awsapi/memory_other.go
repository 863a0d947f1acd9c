//go:build !linux

package awsapi

import (
	"fmt"
	"os"
)

// inMemory returns a file that gives a text, once, and is on no disk, and a path to open it by.
func inMemory(text string) (file *os.File, path string, err error) {
	file, in, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	go func() {
		defer in.Close()
		in.WriteString(text) // an error is the reader's
	}()
	return file, fmt.Sprintf("/dev/fd/%d", file.Fd()), nil
}
