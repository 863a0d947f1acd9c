package cache

import (
	"context"
	"errors"
	"fmt"
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
	return c.lock(f.prefix()+lockName, func(file *os.File) error { return wait(ctx, file) })
}

// TryLock is [Cache.Lock] that doesn't wait: the error is [ErrHeld] where
// another process has the lock.
func (c *Cache) TryLock(f Family) (release func(), err error) {
	return c.lock(f.prefix()+lockName, try)
}

// lock acquires the lock in the file of that name. Where acquire fails, it has
// seen to the file itself.
func (c *Cache) lock(name string, acquire func(*os.File) error) (release func(), err error) {
	const tries = 10 // more would mean that the file system can't tell its files apart
	for range tries {
		file, err := c.openLock(name)
		if err != nil {
			return func() {}, err
		}
		if err := acquire(file); err != nil {
			return func() {}, err
		}
		// Between opening and locking, prune may have removed the file: then
		// others lock another one.
		mine, err1 := file.Stat()
		there, err2 := os.Lstat(c.path(name))
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			os.Chtimes(c.path(name), time.Time{}, c.now())
			return func() { file.Close() }, nil
		}
		file.Close()
		if err1 != nil || err2 != nil && !errors.Is(err2, fs.ErrNotExist) {
			return func() {}, errors.Join(err1, err2)
		}
	}
	return func() {}, fmt.Errorf("%s is never the file that was opened", c.path(name))
}

// try locks the file, or closes it.
func try(file *os.File) error {
	err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrHeld
	}
	if err != nil {
		file.Close()
	}
	return err
}

// wait locks the file before ctx ends, or closes it.
func wait(ctx context.Context, file *os.File) error {
	locked := make(chan error, 1)
	go func() { locked <- flock(file, syscall.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			file.Close()
		}
		return err
	case <-ctx.Done():
		go func() { // flock can't be called off
			<-locked
			file.Close()
		}()
		return ctx.Err()
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
	release, err := c.lock(name, try)
	if err != nil {
		return
	}
	os.Remove(c.path(name))
	release()
}
