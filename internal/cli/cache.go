package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/sanitize"
	"docker-credential-ecr-login/internal/tokensource"
)

func cacheCommand() command {
	return command{
		name:  "cache",
		args:  "list | clear [HOST] | path",
		brief: "show or forget the tokens that are kept",
		about: "list prints for each token the registry it was requested for, how long ago that was, for how long it is served without asking AWS, and when it expires; " +
			"and below that where the principal's credentials came from. A token opens all that its principal may read in its region.\n\n" +
			"clear removes all tokens of this user or, with a HOST, all tokens that get can return for it, of every principal. " +
			"It prints what it removes. The verb list no longer names those registries, unless the registry map does.\n\n" +
			"path prints the directory they are in.",
		examples: []example{
			{"cache list", "what is kept?"},
			{"cache clear 222222222222.dkr.ecr.ap-south-1.amazonaws.com", "have the next get ask AWS"},
			{"cache clear", "forget everything"},
		},
		arguments:  []string{"list", "clear", "path"},
		takesHosts: true,
		hostsAfter: "clear",
		run:        (*session).cache,
	}
}

func (s *session) cache(args []string) error {
	// Tokens that were kept before the cache was turned off are still there.
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_ECR_DISABLE_CACHE=")
	})
	resolver := s.load()
	settings, err := resolver.Settings, resolver.Err
	if settings.CacheErr != nil {
		return settings.CacheErr
	}
	if settings.CacheDir == "" {
		return errors.New("no token is kept: there is no home of this user's own; see AWS_ECR_CACHE_DIR")
	}
	c := cache.New(settings.CacheDir)
	switch {
	case len(args) == 1 && args[0] == "path":
		fmt.Fprintln(s.Stdout, c.Dir())
		return nil
	case len(args) == 1 && args[0] == "list":
		return s.listCache(c)
	case len(args) == 1 && args[0] == "clear":
		return s.clear(c, settings.CacheDir, registry.Registry{}, c.Clear)
	case len(args) == 2 && args[0] == "clear":
		if err != nil {
			return err
		}
		target, ok := settings.Map.Find(args[1])
		if !ok {
			return notECR(args[1])
		}
		r := target.Registry
		return s.clear(c, settings.CacheDir, r, func() error {
			for _, item := range c.All() {
				if isServed(r, item) {
					c.Purge(item.Family)
				}
			}
			c.Forget(tokensource.KeyOf("", r))
			// Of this principal's also why the last request failed.
			id := identity.Read(s.Env, settings.Home, target.Principal)
			c.Purge(tokensource.FamilyOf(id.Key, r))
			return nil
		})
	}
	return mistakef("it takes list, clear with one HOST or none, or path")
}

// isServed reports whether a token, whoever it was requested as, is for a registry, or for any if
// that is the zero Registry.
func isServed(r registry.Registry, item cache.Item) bool {
	return r == (registry.Registry{}) || item.Family == tokensource.FamilyOf(item.Identity, r)
}

// clear calls remove, and prints which tokens of a registry are gone, or of all with the zero
// Registry. It returns an error if one is left.
func (s *session) clear(c *cache.Cache, dir string, r registry.Registry, remove func() error) error {
	if err := c.Check(); err != nil {
		return err
	}
	kept := func() map[string]bool {
		lines := map[string]bool{}
		for _, key := range c.Known("") {
			if host, isECR := hostOf(key); isECR && (r == (registry.Registry{}) || host == r.Host()) {
				lines[host+" from the list"] = true
			}
		}
		for _, item := range c.All() {
			if isServed(r, item) {
				host, _ := hostOf(item.Key)
				lines[fmt.Sprintf("the token for %s (%s)", host, sanitize.Line(item.CredentialSource))] = true
			}
		}
		return lines
	}
	before := kept()
	err := remove()
	after := kept()
	for _, line := range slices.Sorted(maps.Keys(before)) {
		if !after[line] {
			fmt.Fprintln(s.Stdout, "removed: "+line)
		}
	}
	if len(before) == 0 {
		fmt.Fprintln(s.Stdout, noTokens)
	}
	s.offerPeersCache(dir)
	if err == nil && len(after) > 0 {
		err = fmt.Errorf("%d of them can't be removed; see who may write to %s", len(after), c.Dir())
	}
	return err
}

const noTokens = "no tokens"

// offerPeersCache prints how to remove what the awslabs helper has kept in the same directory.
// Nothing else removes it, and its tokens work for up to twelve hours.
func (s *session) offerPeersCache(dir string) {
	file := filepath.Join(dir, "cache.json")
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		fmt.Fprintf(s.Stdout, "%s holds tokens of the awslabs helper, which nothing removes; to remove them run: rm %s\n", file, sanitize.ShellWord(file))
	}
}

// hostOf returns the host that a token was requested for, and false if it isn't ECR's.
func hostOf(key cache.Key) (host string, isECR bool) {
	r, isECR := tokensource.RegistryOf(key)
	if !isECR {
		return key.Registry, false
	}
	return r.Host(), true
}

// listCache prints the tokens that are kept, without secrets, in lines of at most 100 columns.
func (s *session) listCache(c *cache.Cache) error {
	if err := c.Check(); err != nil {
		return err
	}
	items := c.All()
	if len(items) == 0 {
		fmt.Fprintln(s.Stdout, noTokens)
		return nil
	}
	host := func(item cache.Item) string { host, _ := hostOf(item.Key); return host }
	slices.SortFunc(items, func(a, b cache.Item) int {
		return cmp.Or(cmp.Compare(host(a), host(b)), cmp.Compare(a.CredentialSource, b.CredentialSource))
	})
	width := len("REGISTRY")
	for _, item := range items {
		width = max(width, len(host(item)))
	}
	now := time.Now()
	const columns = "%-*s  %-6s  %-9s  %s\n"
	fmt.Fprintf(s.Stdout, columns, width, "REGISTRY", "AGE", "FRESH FOR", "EXPIRES UTC")
	for _, item := range items {
		fresh := "due"
		if item.Fresh(now) {
			fresh = short(item.FreshUntil.Sub(now))
		}
		age, expires := short(now.Sub(item.RequestedAt)), item.Expires.UTC().Format("01-02 15:04")
		fmt.Fprintf(s.Stdout, columns, width, host(item), age, fresh, expires)
		for line := range strings.Lines(wrap(sanitize.Line(item.CredentialSource), 96)) {
			fmt.Fprint(s.Stdout, "    "+line)
		}
		fmt.Fprintln(s.Stdout)
	}
	return nil
}

// short returns a duration of less than a day in at most six characters, such as 11h59m.
func short(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	default:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
}
