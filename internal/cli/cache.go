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
	// What was kept before it was turned off is there all the same.
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(kv string) bool { return strings.HasPrefix(kv, "AWS_ECR_DISABLE_CACHE=") })
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
		return s.clear(c, settings.CacheDir, nil, c.Clear)
	case len(args) == 2 && args[0] == "clear":
		if err != nil {
			return err
		}
		target, ok := settings.Map.Find(args[1])
		if !ok {
			return otherHost(args[1])
		}
		r := target.Registry
		return s.clear(c, settings.CacheDir, &r, func() error {
			clearRegistry(c, r)
			// Of this principal's also why the last request failed.
			c.Purge(familyOf(identity.Read(s.Env, settings.Home, target.Principal).Key, r))
			return nil
		})
	}
	return mistakef("it takes list, clear with one HOST or none, or path")
}

func familyOf(identity string, r registry.Registry) cache.Family {
	return cache.Family{Identity: identity, Region: r.TokenRegion(), EndpointVariant: r.EndpointVariant()}
}

// clear removes tokens and prints what is gone: of one registry, or of all without one. The error
// says that something is left.
func (s *session) clear(c *cache.Cache, dir string, of *registry.Registry, remove func() error) error {
	if err := c.Check(); err != nil {
		return err
	}
	kept := func() map[string]bool {
		lines := map[string]bool{}
		for _, key := range c.Known("") {
			if host, ok := hostOf(key); ok && (of == nil || host == of.Host()) {
				lines[host+" from the list"] = true
			}
		}
		for _, item := range c.All() {
			if of == nil || item.Region == of.TokenRegion() && item.EndpointVariant == of.EndpointVariant() {
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

// clearRegistry removes the tokens that serve a registry, and the registry from lists.
func clearRegistry(c *cache.Cache, r registry.Registry) {
	for _, item := range c.All() {
		if item.Region == r.TokenRegion() && item.EndpointVariant == r.EndpointVariant() {
			c.Purge(item.Family)
		}
	}
	c.Forget(cache.Key{Family: familyOf("", r), Registry: r.ID()})
}

const noTokens = "no tokens"

// offerPeersCache says how to remove what awslabs' helper has kept in the same directory: nothing
// else does, and its tokens work for up to twelve hours.
func (s *session) offerPeersCache(dir string) {
	file := filepath.Join(dir, "cache.json")
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		fmt.Fprintf(s.Stdout, "%s holds tokens of the awslabs helper, which nothing removes; to remove them run: rm %s\n", file, sanitize.ShellWord(file))
	}
}

// hostOf returns the host that a token was requested for; false if that is none of ECR's.
func hostOf(key cache.Key) (string, bool) {
	r, ok := registry.Of(key.Registry, key.Region, key.EndpointVariant)
	if !ok {
		return key.Registry, false
	}
	return r.Host(), true
}

// listCache prints what is kept, without secrets, in lines of at most 100 columns.
func (s *session) listCache(c *cache.Cache) error {
	if err := c.Check(); err != nil {
		return err
	}
	type row struct {
		host string
		cache.Item
	}
	var rows []row
	width := len("REGISTRY")
	for _, item := range c.All() {
		host, _ := hostOf(item.Key)
		rows = append(rows, row{host, item})
		width = max(width, len(host))
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.Stdout, noTokens)
		return nil
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.CredentialSource, b.CredentialSource))
	})
	now := time.Now()
	const columns = "%-*s  %-6s  %-9s  %s\n"
	fmt.Fprintf(s.Stdout, columns, width, "REGISTRY", "AGE", "FRESH FOR", "EXPIRES UTC")
	for _, item := range rows {
		fresh := "due"
		if item.Fresh(now) {
			fresh = short(item.FreshUntil.Sub(now))
		}
		fmt.Fprintf(s.Stdout, columns, width, item.host, short(now.Sub(item.RequestedAt)), fresh, item.Expires.UTC().Format("01-02 15:04"))
		const indent = "    "
		fmt.Fprintln(s.Stdout, indent+strings.ReplaceAll(wrap(sanitize.Line(item.CredentialSource), 100-len(indent)), "\n", "\n"+indent))
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
