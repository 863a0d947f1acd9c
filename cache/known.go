package cache

import (
	"os"
	"slices"
	"strings"
)

// A registry for which a token was saved is known by an empty file, whose mtime is when that token
// expires. It outlives the token, so that a list still names the registry.
const knownSuffix = ".known"

// Known returns the keys under which the identity has saved a token, until 30 days after that token
// expired. For the empty identity it returns those of all, without their identities. [Cache.Purge]
// keeps them; [Cache.Clear] and [Cache.Forget] remove them.
func (c *Cache) Known(identity string) []Key {
	var keys []Key
	prefix := Family{Identity: identity}.identityPrefix()
	for _, name := range slices.Sorted(slices.Values(c.names())) {
		parts := strings.Split(name, ".") // identity, region, endpoint variant, registry, suffix
		if len(parts) != 5 || !isKnown(name) || identity != "" && !strings.HasPrefix(name, prefix) {
			continue
		}
		info, err := os.Lstat(c.path(name))
		if err == nil && info.Mode().IsRegular() && !isOlder(c.now().Sub(info.ModTime()), knownLife) {
			keys = append(keys, Key{Family{identity, parts[1], parts[2]}, parts[3]})
		}
	}
	return keys
}

// Forget removes the key's registry from what [Cache.Known] returns, for every identity.
func (c *Cache) Forget(key Key) {
	_, registry, _ := strings.Cut(key.known(), ".")
	c.remove(func(name string) bool { return name[identityLength+1:] == registry })
}

func (k Key) known() string { return k.prefix() + word(k.Registry) + knownSuffix }

func isKnown(name string) bool { return strings.HasSuffix(name, knownSuffix) }
