package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
)

// The names in the directory:
//
//	IDENTITY.REGION.FLAVOUR.REGISTRY.token  a token; its mtime is when it expires
//	IDENTITY.REGION.FLAVOUR.REGISTRY.known  empty; its mtime is when the last token expires
//	IDENTITY.REGION.FLAVOUR.failure         why the last fetch failed
//	IDENTITY.REGION.FLAVOUR.lock            held while a token is fetched
//	….tmp                                   one of the above, being written
//
// The identity is cut short, so each file that isn't empty also names its whole key inside.
const (
	tokenSuffix = ".token"
	tempSuffix  = ".tmp"
	failureName = "failure"
	lockName    = "lock"

	identityLength = 32
	hexDigits      = "0123456789abcdef"

	tokenSize = 4 << 10 // what a token takes, 2 to 4 kB
	maxFile   = 64 << 10

	// tempLife is longer than any write takes.
	tempLife = time.Minute
	// memoryLife is longer than a failure counts for anybody, and idleLock
	// longer than any process holds or waits for a lock.
	failureLife = 15 * time.Minute
	idleLock    = 15 * time.Minute
	// maxLife is longer than any token lives; an mtime beyond it was set by a
	// clock that was wrong.
	maxLife = 24 * time.Hour
)

func (f Family) identityPrefix() string {
	id := f.Identity
	if len(id) < identityLength || strings.Trim(id, hexDigits) != "" {
		id = hash(id)
	}
	return id[:identityLength] + "."
}

func (f Family) prefix() string {
	return f.identityPrefix() + word(f.Region) + "." + word(f.EndpointVariant) + "."
}

func (k Key) file() string { return k.prefix() + word(k.Registry) + tokenSuffix }

// word is s where it can be a part of a name, and its hash where it can't.
func word(s string) string {
	if s == "" || len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return hash(s)
	}
	return s
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func isToken(name string) bool { return strings.HasSuffix(name, tokenSuffix) }

func (c *Cache) path(name string) string { return path.Join(c.dir, name) }

var errNotPrivate = errors.New("not a regular file of this user alone")

// readFile reads a file that only this user can have written or read.
func (c *Cache) readFile(name string) ([]byte, error) {
	if err := c.checkDir(); err != nil {
		return nil, err
	}
	// Without O_NONBLOCK a FIFO would block.
	f, err := os.OpenFile(c.path(name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || !owned(info) || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %w", f.Name(), errNotPrivate)
	}
	text := make([]byte, info.Size())
	n, err := io.ReadFull(f, text)
	return text[:n], err
}

// write puts the text under the name, whatever was there before.
func (c *Cache) write(name string, text []byte, mtime time.Time) error {
	if err := c.makeDir(); err != nil {
		return err
	}
	err := c.writeOnce(name, text, mtime)
	if errors.Is(err, fs.ErrNotExist) {
		// Another process has pruned the file before it was locked.
		err = c.writeOnce(name, text, mtime)
	}
	return err
}

// writeOnce writes a file of another name, locked so that it can be told from what a
// killed process has left, and renames it.
func (c *Cache) writeOnce(name string, text []byte, mtime time.Time) (err error) {
	f, err := os.CreateTemp(c.dir, name+".*"+tempSuffix)
	if err != nil {
		return err
	}
	written := f.Name()
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(written)
		}
	}()
	flock(f, syscall.LOCK_EX|syscall.LOCK_NB) // where there are no locks, age tells
	_, err = f.Write(text)
	// The umask may have taken permissions away.
	err = errors.Join(err, f.Chmod(0o600), os.Chtimes(written, time.Time{}, mtime))
	if err == nil {
		err = replace(written, c.path(name))
	}
	if err == nil {
		written = c.path(name)
	}
	return err
}

// replace renames, even where an empty directory is in the way.
func replace(from, to string) error {
	err := os.Rename(from, to)
	if err != nil && os.Remove(to) == nil {
		err = os.Rename(from, to)
	}
	return err
}

// makeDir makes the directory and those above it that are missing. One that was
// there is left as it is.
func (c *Cache) makeDir() error {
	if c.dir == "" {
		return fs.ErrNotExist
	}
	if err := atomicfile.MakeDirs(c.dir); err != nil {
		return err
	}
	return c.checkDir()
}

// checkDir makes sure that the directory is this user's own and no link to another, and that
// nobody else can move files in it.
func (c *Cache) checkDir() error {
	if c.dir == "" {
		return fs.ErrNotExist
	}
	info, err := os.Lstat(c.dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || !owned(info) {
		return fmt.Errorf("%s is no folder of this user", c.dir)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write to %s (mode %04o)", c.dir, info.Mode().Perm())
	}
	return nil
}

func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// names lists the files whose names are of our form.
func (c *Cache) names() []string {
	if c.checkDir() != nil {
		return nil
	}
	dir, err := os.Open(c.dir)
	if err != nil {
		return nil
	}
	defer dir.Close()
	all, _ := dir.Readdirnames(-1)
	ours := all[:0]
	for _, name := range all {
		if isManaged(name) {
			ours = append(ours, name)
		}
	}
	return ours
}

func isManaged(name string) bool {
	if len(name) <= identityLength || name[identityLength] != '.' {
		return false
	}
	return strings.Trim(name[:identityLength], hexDigits) == ""
}

// prune removes expired tokens, old failures, what killed processes left
// behind, and the locks of families that have nothing else.
func (c *Cache) prune() {
	now := c.now()
	names := c.names()
	families := make(map[string]bool)
	for _, name := range names {
		info, err := os.Lstat(c.path(name))
		if err != nil {
			continue
		}
		age := now.Sub(info.ModTime())
		stale := true
		switch {
		case isToken(name):
			stale = age >= 0 || age < -maxLife
		case isKnown(name):
			if isForgotten(age) {
				os.Remove(c.path(name))
			}
			continue // it needs no lock
		case strings.HasSuffix(name, tempSuffix):
			stale = c.isAbandoned(name, age)
		case strings.HasSuffix(name, "."+failureName):
			stale = age > failureLife || age < -maxLife
		default: // a lock; see below
			continue
		}
		if stale {
			os.Remove(c.path(name))
		} else {
			families[familyOf(name)] = true
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, "."+lockName) && !families[familyOf(name)] {
			c.removeIdleLock(name, now)
		}
	}
}

// isAbandoned tells whether the process that was writing a file is gone: nobody holds its
// lock, or where there are no locks, it is old.
func (c *Cache) isAbandoned(name string, age time.Duration) bool {
	f, err := os.OpenFile(c.path(name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err == nil {
		defer f.Close()
		err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false
	}
	return age > tempLife || age < -maxLife
}

// familyOf cuts a name after its third part.
func familyOf(name string) string {
	parts := strings.SplitN(name, ".", 4)
	return strings.Join(parts[:min(3, len(parts))], ".")
}
