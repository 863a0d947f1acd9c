package cache

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A registry for which a token was saved is known by an empty file, whose mtime is when that token
// expires. It outlives the token, so that a list still names the registry.
const (
	knownSuffix = ".known"
	// knownLife is how long a registry is known after its last token expired.
	knownLife = 30 * 24 * time.Hour
)

// Known returns the keys under which the identity has saved a token, until 30 days after that
// token expired; for the empty identity those of all, without their identities. Purging tokens
// keeps them; [Cache.Clear] and [Cache.Forget] don't.
func (c *Cache) Known(identity string) []Key {
	var keys []Key
	prefix := Family{Identity: identity}.identityPrefix()
	for _, name := range slices.Sorted(slices.Values(c.names())) {
		parts := strings.Split(name[identityLength+1:], ".")
		if identity != "" && !strings.HasPrefix(name, prefix) || len(parts) != 4 || "."+parts[3] != knownSuffix {
			continue
		}
		info, err := os.Lstat(c.path(name))
		if err == nil && info.Mode().IsRegular() && !isForgotten(c.now().Sub(info.ModTime())) {
			keys = append(keys, Key{Family{Identity: identity, Region: parts[0], EndpointVariant: parts[1]}, parts[2]})
		}
	}
	return keys
}

// Forget removes a registry from what [Cache.Known] returns for every identity. The registry is
// that of the key; its identity doesn't count.
func (c *Cache) Forget(key Key) {
	_, suffix, _ := strings.Cut(key.known(), ".")
	for _, name := range c.names() {
		if _, rest, _ := strings.Cut(name, "."); rest == suffix {
			os.Remove(c.path(name))
		}
	}
}

func (k Key) known() string { return k.prefix() + word(k.Registry) + knownSuffix }

func isKnown(name string) bool { return strings.HasSuffix(name, knownSuffix) }

// isForgotten reports whether a known registry, whose last token expired so long ago, is known
// no longer.
func isForgotten(age time.Duration) bool { return age > knownLife || age < -maxLife }

// makeKnown records that a token was saved, if that is possible: without the record, a list may
// omit the registry once the token has expired.
func (c *Cache) makeKnown(key Key, expires time.Time) {
	file := c.path(key.known())
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err == nil {
		f.Close()
		os.Chtimes(file, time.Time{}, expires)
	}
}
