// Package atomicfile writes files that other processes see whole or not at all, and opens, locks
// and judges files that another user may have put in the way. What depends on the operating system
// is in files such as atomicfile_unix.go.
package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path" // not path/filepath, which starts after the AWS SDK; see package faststart
	"time"
)

// TempSuffix ends the names of the files that [Write] has not renamed yet.
const TempSuffix = ".tmp"

// ErrLocked says that another process holds the lock of a file.
var ErrLocked = errors.New("another process holds the lock")

// MakePrivateDir makes a directory and its missing parents with mode 0700, whatever the umask.
// It leaves directories that exist as they are.
func MakePrivateDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) && path.Dir(dir) != dir {
		if err := MakePrivateDir(path.Dir(dir)); err != nil {
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

// ReadRegular returns the text of a regular file of at most so many bytes, and what was known of the
// file before: nil if it can't be found. Its errors are those of os.ReadFile and two of its own.
func ReadRegular(name string, most int64) (text []byte, info fs.FileInfo, err error) {
	if info, err = os.Stat(name); err != nil {
		err.(*fs.PathError).Op = "open"
		return nil, nil, err
	}
	// To open a pipe, and to close it, would stop its writer. To read a directory fails by itself.
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, info, &fs.PathError{Op: "read", Path: name, Err: errors.New("it isn't a regular file")}
	}
	f, err := OpenRead(name)
	if err != nil {
		return nil, info, err
	}
	defer f.Close()
	var b bytes.Buffer
	b.Grow(int(min(info.Size(), most)) + bytes.MinRead)
	if _, err = b.ReadFrom(io.LimitReader(f, most+1)); int64(b.Len()) > most {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("it is too large")}
	}
	return b.Bytes(), info, err
}

// Options change what [Write] does. The zero Options write a file of mode 0600.
type Options struct {
	// ModTime is the modification time of the new file; the time of writing if zero.
	ModTime time.Time
	// Replaces is the file that the new one replaces: Write keeps its mode and its owner.
	Replaces fs.FileInfo
	// Sync writes the file to the disk before it gets its name.
	Sync bool
	// Check is called just before the file gets its name. Its error stops Write.
	Check func() error
}

// Write replaces a file, or an empty directory in its place. It writes a temporary file in the same
// directory and renames it. The temporary file is locked, so that [IsAbandoned] can tell it from
// what a killed process has left. An error before the rename leaves the old file as it was.
func Write(name string, data []byte, o Options) (err error) {
	temp, err := os.CreateTemp(path.Dir(name), path.Base(name)+".*"+TempSuffix)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, temp.Close()); err != nil {
			os.Remove(temp.Name())
		}
	}()
	TryLock(temp) // a file system without locks is no reason to fail
	if _, err := temp.Write(data); err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if o.Replaces != nil {
		mode = o.Replaces.Mode().Perm()
		if err := keepOwner(temp, name, o.Replaces); err != nil {
			return err
		}
	}
	if err := temp.Chmod(mode); err != nil { // the umask may have taken permissions away
		return err
	}
	if err := os.Chtimes(temp.Name(), time.Time{}, o.ModTime); err != nil {
		return err
	}
	if o.Sync {
		if err := temp.Sync(); err != nil {
			return err
		}
	}
	if o.Check != nil {
		if err := o.Check(); err != nil {
			return err
		}
	}
	return rename(temp.Name(), name)
}

// rename gives a file a new name, even if an empty directory has it.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil {
		return nil
	}
	if info, statErr := os.Lstat(to); statErr == nil && info.IsDir() && os.Remove(to) == nil {
		return os.Rename(from, to)
	}
	return err
}

// IsAbandoned reports whether the process that was writing a temporary file is gone. The error says
// why the file has no lock that would tell.
func IsAbandoned(temp string) (bool, error) {
	f, err := OpenNoFollow(temp, os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = TryLock(f)
	if errors.Is(err, ErrLocked) {
		return false, nil
	}
	return err == nil, err
}
