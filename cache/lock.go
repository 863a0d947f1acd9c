package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrHeld says that another process holds the lock.
var ErrHeld = errors.New("another process holds the lock")

// Lock waits until this process alone fetches tokens of the family, or ctx
// ends. Call release when done; a process that ends releases what it holds.
// Where there can be no locks the error says why, and the caller had better go
// on without.
func (c *Cache) Lock(ctx context.Context, f Family) (release func(), err error) {
	type answer struct {
		file *os.File
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		file, err := c.lock(f.prefix()+lockName, syscall.LOCK_EX)
		answers <- answer{file, err}
	}()
	select {
	case a := <-answers:
		return releaser(a.file), a.err
	case <-ctx.Done():
		go func() { releaser((<-answers).file)() }() // flock can't be called off
		return func() {}, ctx.Err()
	}
}

// TryLock is [Cache.Lock] that doesn't wait: the error is [ErrHeld] where
// another process has the lock.
func (c *Cache) TryLock(f Family) (release func(), err error) {
	file, err := c.lock(f.prefix()+lockName, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrHeld
	}
	return releaser(file), err
}

func releaser(file *os.File) func() {
	if file == nil {
		return func() {}
	}
	return func() { file.Close() }
}

func (c *Cache) lock(name string, how int) (*os.File, error) {
	for {
		file, err := c.openLock(name)
		if err != nil {
			return nil, err
		}
		if err := flock(file, how); err != nil {
			file.Close()
			return nil, err
		}
		// Between opening and locking, prune may have removed the file: then
		// others lock another one.
		mine, err1 := file.Stat()
		there, err2 := os.Lstat(c.path(name))
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			os.Chtimes(c.path(name), time.Time{}, c.now())
			return file, nil
		}
		file.Close()
		if err1 != nil || err2 != nil && !errors.Is(err2, fs.ErrNotExist) {
			return nil, errors.Join(err1, err2)
		}
	}
}

func (c *Cache) openLock(name string) (*os.File, error) {
	if err := c.makeDir(); err != nil {
		return nil, err
	}
	return os.OpenFile(c.path(name), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
}

func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if err != syscall.EINTR {
			return err
		}
	}
}

// removeIdleLock removes a lock that nobody holds or waits for.
func (c *Cache) removeIdleLock(name string, now time.Time) {
	info, err := os.Lstat(c.path(name))
	if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()).Abs() < idleLock {
		return
	}
	file, err := c.lock(name, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return
	}
	os.Remove(c.path(name))
	file.Close()
}
