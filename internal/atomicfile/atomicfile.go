// Package atomicfile makes directories for this user alone.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// MakeDirs makes a directory, and those above it that are missing, with mode 0700,
// whatever the umask. One that was there is left as it is.
func MakeDirs(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) && path.Dir(dir) != dir {
		if err := MakeDirs(path.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) // the umask may have taken permissions away
}
