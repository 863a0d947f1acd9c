package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
)

// ErrHeld says that another process holds the lock.
var ErrHeld = atomicfile.ErrLocked

// Lock waits until this process alone fetches tokens of the family, or until ctx ends. Call release
// when done; the end of the process releases the lock, too. The error says why there can be no
// lock: then go on without one.
func (c *Cache) Lock(ctx context.Context, f Family) (release func(), err error) {
	return c.lock(f.file(lockExt), func(file *os.File) error { return wait(ctx, file) })
}

// TryLock is [Cache.Lock] that does not wait: its error is [ErrHeld] if another process has the
// lock.
func (c *Cache) TryLock(f Family) (release func(), err error) {
	return c.lock(f.file(lockExt), try)
}

// lock locks the file of that name by acquire, which closes the file if it fails.
func (c *Cache) lock(name string, acquire func(*os.File) error) (release func(), err error) {
	release = func() {}
	const tries = 10 // more would mean that the file system can't tell its files apart
	for range tries {
		if err := c.makeDir(); err != nil {
			return release, err
		}
		file, err := atomicfile.OpenNoFollow(c.path(name), os.O_RDWR|os.O_CREATE)
		if err != nil {
			return release, err
		}
		if err := acquire(file); err != nil {
			return release, err
		}
		// Between opening and locking, prune may have removed the file: then others lock another
		// one.
		mine, err1 := file.Stat()
		there, err2 := os.Lstat(c.path(name))
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			os.Chtimes(c.path(name), time.Time{}, c.now())
			return func() { file.Close() }, nil
		}
		file.Close()
		if err1 != nil || err2 != nil && !errors.Is(err2, fs.ErrNotExist) {
			return release, errors.Join(err1, err2)
		}
	}
	return release, fmt.Errorf("%s is never the file that was opened", c.path(name))
}

// try locks the file, or closes it.
func try(file *os.File) error {
	err := atomicfile.TryLock(file)
	if err != nil {
		file.Close()
	}
	return err
}

// wait locks the file before ctx ends, or closes it.
func wait(ctx context.Context, file *os.File) error {
	locked := make(chan error, 1)
	go func() { locked <- atomicfile.Lock(file) }()
	select {
	case err := <-locked:
		if err != nil {
			file.Close()
		}
		return err
	case <-ctx.Done():
		go func() { // nothing can interrupt Lock
			<-locked
			file.Close()
		}()
		return ctx.Err()
	}
}

// removeLock removes a lock that nobody holds or waits for.
func (c *Cache) removeLock(name string) {
	if release, err := c.lock(name, try); err == nil {
		os.Remove(c.path(name))
		release()
	}
}
