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
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
)

// The names in the directory:
//
//	IDENTITY.REGION.VARIANT.REGISTRY.token  a token; its mtime is when it expires
//	IDENTITY.REGION.VARIANT.REGISTRY.known  empty; its mtime is when the last token expires. It
//	                                        outlives the token, so that a list names the registry
//	IDENTITY.REGION.VARIANT.failure         why the last fetch failed
//	IDENTITY.REGION.VARIANT.lock            held while a token is fetched
//	….tmp                                   one of the above, being written
//
// The identity is cut short, so each file that isn't empty also names its whole key inside.
const (
	tokenExt   = ".token"
	knownExt   = ".known"
	failureExt = ".failure"
	lockExt    = ".lock"

	identityLength = 32
	hexDigits      = "0123456789abcdef"

	maxFile = 64 << 10 // a token takes 2 to 4 kB

	// tempLife is longer than any write takes. It counts if the file system has no locks.
	tempLife = time.Minute
	// failureLife is longer than a failure counts for anybody, and lockLife longer than any process
	// holds or waits for a lock.
	failureLife = 15 * time.Minute
	lockLife    = 15 * time.Minute
	// knownLife is how long a registry is known after its last token expired.
	knownLife = 30 * 24 * time.Hour
	// maxLife is longer than any token lives; an mtime further ahead was set by a wrong clock.
	maxLife = 24 * time.Hour
)

func (f Family) identityPrefix() string {
	id := f.Identity
	if len(id) < identityLength || strings.Trim(id, hexDigits) != "" {
		id = hash(id)
	}
	return id[:identityLength] + "."
}

// file returns the name of a file of the family, or with "." what all of its names begin with.
func (f Family) file(ext string) string {
	return f.identityPrefix() + word(f.Region) + "." + word(f.EndpointVariant) + ext
}

func (k Key) file(ext string) string { return k.Family.file(".") + word(k.Registry) + ext }

// word returns s if it can be a part of a file name, else its hash.
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

func (c *Cache) path(name string) string { return path.Join(c.dir, name) }

var errNotPrivate = errors.New("not a regular file of this user alone")

// readFile reads a file that no other user can have written or read.
func (c *Cache) readFile(name string) ([]byte, error) {
	if err := c.checkDir(); err != nil {
		return nil, err
	}
	f, err := atomicfile.OpenNoFollow(c.path(name), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || !atomicfile.IsOwn(info) ||
		info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %w", f.Name(), errNotPrivate)
	}
	text := make([]byte, info.Size())
	n, err := io.ReadFull(f, text)
	return text[:n], err
}

// write saves a file under the name, whatever was there before.
func (c *Cache) write(name string, text []byte, mtime time.Time) error {
	if err := c.makeDir(); err != nil {
		return err
	}
	save := func() error {
		return atomicfile.Write(c.path(name), text, atomicfile.Options{ModTime: mtime})
	}
	err := save()
	if errors.Is(err, fs.ErrNotExist) { // another process pruned the new file before it was locked
		err = save()
	}
	return err
}

// makeDir makes the directory and its missing parents.
func (c *Cache) makeDir() error {
	if c.dir == "" {
		return fs.ErrNotExist
	}
	if err := atomicfile.MakePrivateDir(c.dir); err != nil {
		return err
	}
	return c.checkDir()
}

// checkDir checks that the directory belongs to this user, is not a link, and that nobody else can
// move files in it.
func (c *Cache) checkDir() error {
	if c.dir == "" {
		return fs.ErrNotExist
	}
	info, err := os.Lstat(c.dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || !atomicfile.IsOwn(info) {
		return fmt.Errorf("%s is no folder of this user", c.dir)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write to %s (mode %04o)", c.dir, info.Mode().Perm())
	}
	return nil
}

// names returns the names of the files that this package may have written.
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
	return slices.DeleteFunc(all, func(name string) bool { return !isManaged(name) })
}

// isManaged reports whether a name begins with an identity.
func isManaged(name string) bool {
	return len(name) > identityLength && name[identityLength] == '.' &&
		strings.Trim(name[:identityLength], hexDigits) == ""
}

// remove removes the files whose names match. An error names what can't be removed.
func (c *Cache) remove(matches func(name string) bool) error {
	var errs []error
	for _, name := range c.names() {
		if !matches(name) {
			continue
		}
		// Another process may have removed it.
		if err := os.Remove(c.path(name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// prune removes expired tokens, old failures, registries known for too long, idle locks, and what
// killed processes left behind.
func (c *Cache) prune() {
	for _, name := range c.names() {
		info, err := os.Lstat(c.path(name))
		if err != nil {
			continue
		}
		age := c.now().Sub(info.ModTime())
		var stale bool
		switch path.Ext(name) {
		case tokenExt:
			stale = isOlder(age, 0)
		case knownExt:
			stale = isOlder(age, knownLife)
		case failureExt:
			stale = isOlder(age, failureLife)
		case lockExt:
			if isOlder(age, lockLife) {
				c.removeLock(name)
			}
		case atomicfile.TempSuffix:
			if stale, err = atomicfile.IsAbandoned(c.path(name)); err != nil {
				stale = isOlder(age, tempLife)
			}
		}
		if stale {
			os.Remove(c.path(name))
		}
	}
}

// isOlder reports whether a file of that age is to be removed after that life. So is a file whose
// time a wrong clock has set.
func isOlder(age, life time.Duration) bool { return age >= life || age < -maxLife }
