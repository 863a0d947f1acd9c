//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// OpenRead opens a file for reading. Unlike os.Open it does not wait for the writer of a named
// pipe.
func OpenRead(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// OpenNoFollow opens a file as os.OpenFile does. It fails for a symbolic link, and does not wait
// for the other end of a named pipe. A new file has mode 0600.
func OpenNoFollow(name string, flag int) (*os.File, error) {
	return os.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
}

// IsAbsent reports whether an error says that there is no such file.
func IsAbsent(err error) bool {
	// errors.Is alone would cost a warm get a table of its own.
	return os.IsNotExist(err) || errors.Is(err, syscall.ENOTDIR)
}

// Lock waits until no other process holds the lock of a file, and takes it. Closing the file, or
// the end of the process, releases it. The error says why the file system has no locks.
func Lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// TryLock is [Lock] that does not wait: its error is [ErrLocked] if another process holds the lock.
func TryLock(f *os.File) error {
	err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			return err
		}
	}
}

// CanOpenFiles reports whether two more files can be opened. Go's runtime needs two for the first
// timer. If it can't open them, it ends the program with a trace (runtime.netpollinit).
func CanOpenFiles() bool {
	var pipe [2]int
	err := syscall.Pipe(pipe[:])
	if err == nil {
		syscall.Close(pipe[0])
		syscall.Close(pipe[1])
	}
	return !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE)
}

// FileID returns the numbers of a file's device and inode, which no other file has.
func FileID(info fs.FileInfo) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d/%d", stat.Dev, stat.Ino)
	}
	return ""
}

// ChangeTime returns when a file, its mode or its name was last changed. No program can set it.
func ChangeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		changed := ctime(stat)
		return time.Unix(changed.Unix())
	}
	return info.ModTime()
}

// Owner returns the number of the user that a file belongs to, -1 if it is unknown.
func Owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// IsOwn reports whether a file belongs to the user that this process runs as.
func IsOwn(info fs.FileInfo) bool { return Owner(info) == os.Geteuid() }

// IsTrusted reports whether a file belongs to that user or to the administrator.
func IsTrusted(info fs.FileInfo) bool { return IsOwn(info) || Owner(info) == 0 }

// IsMounted reports whether [Write] failed because the file is a mount of its own, which no other
// file can replace.
func IsMounted(err error) bool { return errors.Is(err, syscall.EBUSY) }

// keepOwner gives a new file the owner and the group of the old one, which has that name.
func keepOwner(f *os.File, name string, old fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	was, is := old.Sys().(*syscall.Stat_t), info.Sys().(*syscall.Stat_t)
	if was.Uid == is.Uid && was.Gid == is.Gid {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("%s is of user %d and group %d, which can't be kept: %w",
			name, was.Uid, was.Gid, err)
	}
	return nil
}
