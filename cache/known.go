package cache

import (
	"os"
	"path"
	"slices"
	"strings"
)

// Known returns the keys under which the identity has saved a token, until 30 days after that token
// expired. For the empty identity it returns those of all, without their identities. [Cache.Purge]
// keeps them; [Cache.Clear] and [Cache.Forget] remove them.
func (c *Cache) Known(identity string) []Key {
	var keys []Key
	prefix := Family{Identity: identity}.identityPrefix()
	for _, name := range slices.Sorted(slices.Values(c.names())) {
		parts := strings.Split(name, ".") // identity, region, endpoint variant, registry, suffix
		isOther := identity != "" && !strings.HasPrefix(name, prefix)
		if len(parts) != 5 || path.Ext(name) != knownExt || isOther {
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
	_, registry, _ := strings.Cut(key.file(knownExt), ".")
	c.remove(func(name string) bool { return name[identityLength+1:] == registry })
}
