package awsapi

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// inMemory returns a file that holds a text and is on no disk, and a path to open it by.
func inMemory(text string) (file *os.File, path string, err error) {
	fd, err := unix.MemfdCreate("aws-config", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, "", err
	}
	file = os.NewFile(uintptr(fd), "aws-config")
	path = "/proc/self/fd/" + strconv.Itoa(fd)
	_, err = file.WriteString(text)
	if err == nil {
		_, err = os.Stat(path) // /proc may be missing
	}
	if err != nil {
		file.Close()
		return nil, "", err
	}
	return file, path, nil
}
