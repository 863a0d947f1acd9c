package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/doctor"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/oneline"
	"docker-credential-ecr-login/internal/registry"
)

func cacheCommand() command {
	return command{
		name:  "cache",
		args:  "list | clear [HOST] | path",
		brief: "show or forget the tokens that are kept",
		about: "list prints a line for each token: whose registry it was asked for, where the principal's credentials came from, how long ago it was got, " +
			"until when it is served without a look at AWS, and when it ends. A token opens all that its principal may read in its region.\n\n" +
			"clear forgets all tokens of this user or, with a HOST, those that a get for that registry could be answered with, of every principal.\n\n" +
			"path prints the folder they are in.",
		examples: []example{
			{"cache list", "what is kept?"},
			{"cache clear 222222222222.dkr.ecr.ap-south-1.amazonaws.com", "have the next get ask AWS"},
			{"cache clear", "forget everything"},
		},
		words: []string{"list", "clear", "path"},
		run:   (*session).cache,
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
		clearRegistry(c, target.Registry)
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

// clearRegistry forgets the tokens that serve a registry.
func clearRegistry(c *cache.Cache, r registry.Registry) {
	for _, item := range c.All() {
		if item.Region == r.TokenRegion() && item.Flavour == r.Flavour() {
			c.Purge(item.Family)
		}
	}
}

// listCache prints what is kept, without secrets.
func (s *session) listCache(c *cache.Cache) error {
	if err := c.Check(); err != nil {
		return err
	}
	var lines []string
	now := time.Now()
	for _, item := range c.All() {
		host := item.Registry
		if r, ok := registry.Of(item.Registry, item.Region, item.Flavour); ok {
			host = r.Host()
		}
		fresh := item.FreshUntil.Local().Format(time.DateTime)
		if !item.Fresh(now) {
			fresh = "(due)"
		}
		lines = append(lines, strings.Join([]string{
			host, oneline.Of(item.Source), doctor.Ago(now.Sub(item.Asked)), fresh, item.Expires.Local().Format(time.DateTime),
		}, "\t"))
	}
	slices.Sort(lines)
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REGISTRY\tCREDENTIALS FROM\tAGE\tFRESH UNTIL\tEXPIRES")
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}
