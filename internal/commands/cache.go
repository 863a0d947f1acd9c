package commands

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/oneline"
	"docker-credential-ecr-login/internal/registry"
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
		words:      []string{"list", "clear", "path"},
		takesHosts: true,
		hostsAfter: "clear",
		run:        (*session).cache,
	}
}

func (s *session) cache(args []string) error {
	// What was kept before it was turned off is there all the same.
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool { return strings.HasPrefix(kv, "AWS_ECR_DISABLE_CACHE=") })
	settings, err := s.settings()
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
		if err := c.Check(); err != nil {
			return err
		}
		s.showRemoved(c.All())
		s.offerPeersCache(settings.CacheDir)
		return c.Clear()
	case len(args) == 2 && args[0] == "clear":
		if err != nil {
			return err
		}
		target, ok := settings.Map.Find(args[1])
		if !ok {
			return notOurs(args[1])
		}
		if err := c.Check(); err != nil {
			return err
		}
		s.showRemoved(clearRegistry(c, target.Registry))
		// Of this principal's also why the last request failed.
		id := identity.Read(s.Env, settings.Home, target.Principal)
		c.Purge(familyOf(id.Key, target.Registry))
		return nil
	}
	return mistakef("it takes list, clear with one HOST or none, or path")
}

func familyOf(identity string, r registry.Registry) cache.Family {
	return cache.Family{Identity: identity, Region: r.TokenRegion(), Flavour: r.Flavour()}
}

// clearRegistry removes the tokens that serve a registry, and returns them. Its list is without the
// registry then.
func clearRegistry(c *cache.Cache, r registry.Registry) (removed []cache.Item) {
	for _, item := range c.All() {
		if item.Region == r.TokenRegion() && item.Flavour == r.Flavour() {
			c.Purge(item.Family)
			removed = append(removed, item)
		}
	}
	c.Forget(cache.Key{Family: familyOf("", r), Registry: r.ID()})
	return removed
}

// showRemoved prints a line for each token.
func (s *session) showRemoved(items []cache.Item) {
	if len(items) == 0 {
		fmt.Fprintln(s.Stdout, noTokens)
	}
	for _, item := range sorted(items) {
		fmt.Fprintf(s.Stdout, "removed: %s (%s)\n", hostOf(item), oneline.Of(item.Source))
	}
}

const noTokens = "no tokens"

// offerPeersCache says how to remove what awslabs' helper has kept in the same directory: nothing
// else does, and its tokens work for up to twelve hours.
func (s *session) offerPeersCache(dir string) {
	file := filepath.Join(dir, "cache.json")
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		fmt.Fprintf(s.Stdout, "%s holds tokens of the awslabs helper, which nothing removes; to remove them run: rm %s\n", file, oneline.ShellWord(file))
	}
}

// hostOf returns the host that a token was requested for.
func hostOf(item cache.Item) string {
	if r, ok := registry.Of(item.Registry, item.Region, item.Flavour); ok {
		return r.Host()
	}
	return item.Registry
}

func sorted(items []cache.Item) []cache.Item {
	return slices.SortedFunc(slices.Values(items), func(a, b cache.Item) int {
		return cmp.Or(cmp.Compare(hostOf(a), hostOf(b)), cmp.Compare(a.Source, b.Source))
	})
}

// listCache prints what is kept, without secrets, in lines of at most 100 columns.
func (s *session) listCache(c *cache.Cache) error {
	if err := c.Check(); err != nil {
		return err
	}
	items := sorted(c.All())
	if len(items) == 0 {
		fmt.Fprintln(s.Stdout, noTokens)
		return nil
	}
	now := time.Now()
	width := len("REGISTRY")
	for _, item := range items {
		width = max(width, len(hostOf(item)))
	}
	const columns = "%-*s  %-6s  %-9s  %s\n"
	fmt.Fprintf(s.Stdout, columns, width, "REGISTRY", "AGE", "FRESH FOR", "EXPIRES UTC")
	for _, item := range items {
		fresh := "due"
		if item.Fresh(now) {
			fresh = short(item.FreshUntil.Sub(now))
		}
		fmt.Fprintf(s.Stdout, columns, width, hostOf(item), short(now.Sub(item.Asked)), fresh, item.Expires.UTC().Format("01-02 15:04"))
		const indent = "    "
		fmt.Fprintln(s.Stdout, indent+strings.ReplaceAll(wrap(oneline.Of(item.Source), 100-len(indent)), "\n", "\n"+indent))
	}
	return nil
}

// short returns a duration of less than a day in at most six letters, such as 11h59m.
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
