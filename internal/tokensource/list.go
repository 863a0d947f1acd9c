package tokensource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

const (
	// listPause is how long a list omits a part that failed. publicPause is how long it omits
	// public ECR after a timeout: hardly anybody lists for its sake, and another attempt would
	// take as much time again.
	listPause   = time.Minute
	publicPause = 10 * time.Minute

	// publicPatience is how much longer than the rest the public registry may
	// take: hardly anybody lists for its sake.
	publicGrace = 2 * time.Second
)

// ErrPattern is in the chain of an error of [Source.List] that is about no failure.
var ErrPattern = errors.New("is a pattern, which a list can't hold; name hosts, or accounts and regions, to list them")

var errPublicSlow = errors.New("public ECR took longer than all else")

// List returns the hosts there are credentials for: those the map names, the principal's own
// registry, those it was given a token for in the last 30 days, and public ECR if that answers.
// If the map has an entry, List makes no request: the rest comes from the cache. An error each
// explains what is missing; one part never breaks another.
func (b *Source) List(ctx context.Context) ([]string, []error) {
	hosts, lacks := b.Settings.Map.Hosts(), []error(nil)
	if b.Settings.Map.IsEmpty() {
		hosts, lacks = b.fetchParts(ctx)
	}
	hosts = append(hosts, b.cached()...)
	slices.Sort(hosts)
	return slices.Compact(hosts), append(lacks, b.omittedPatterns(hosts)...)
}

// ask lists the principal's own registry and the public one.
func (b *Source) fetchParts(ctx context.Context) (hosts []string, lacks []error) {
	var (
		own, public       cache.Item
		ownErr, publicErr error
		ownDone           = make(chan struct{})
		wg                sync.WaitGroup
	)
	wg.Go(func() {
		defer close(ownDone)
		defer recovered(&ownErr)
		own, ownErr = b.part(ctx, b.Settings.Map.Own())
	})
	wg.Go(func() {
		defer recovered(&publicErr)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go cancelAfter(ctx, ownDone, cancel)
		public, publicErr = b.part(ctx, registrymap.Target{Host: "public ECR", Registry: registry.Registry{Public: true}})
	})
	wg.Wait()
	for _, item := range []cache.Item{own, public} {
		if r, ok := registryOf(item); ok {
			hosts = append(hosts, r.Host())
		}
	}
	return hosts, slices.DeleteFunc([]error{ownErr, publicErr}, func(err error) bool { return err == nil })
}

// cached lists the registries that the cache knows, for each principal that the map names no
// hosts for: a get renews their tokens. Public ECR is listed only while its token is valid.
func (b *Source) cached() []string {
	principals := []registrymap.Principal{{}, b.Settings.Map.Default}
	for _, glob := range b.Settings.Map.Patterns() {
		principals = append(principals, glob.Principal)
	}
	var hosts []string
	for i, principal := range principals {
		if slices.Contains(principals[:i], principal) {
			continue
		}
		id, _ := b.identity(principal)
		c := b.cacheFor(id)
		keys := c.Known(id.Key)
		for _, item := range c.Items(id.Key) { // which an older version has saved, perhaps
			keys = append(keys, item.Key)
		}
		for _, key := range keys {
			r, ok := registry.Of(key.Registry, key.Region, key.EndpointVariant)
			if _, valid := c.Get(key); !ok || r.Public && !valid {
				continue
			}
			if target, _ := b.Settings.Map.Find(r.Host()); target.Principal == principal {
				hosts = append(hosts, r.Host())
			}
		}
	}
	return hosts
}

func registryOf(item cache.Item) (registry.Registry, bool) {
	return registry.Of(item.Registry, item.Region, item.EndpointVariant)
}

// unlisted explains the entries of the map that name no host, where nothing else
// does.
func (b *Source) omittedPatterns(hosts []string) []error {
	var lacks []error
	for _, glob := range b.Settings.Map.Patterns() {
		if !slices.ContainsFunc(hosts, func(host string) bool {
			r, ok := registry.Parse(host)
			return ok && glob.Pattern.Matches(r)
		}) {
			lacks = append(lacks, fmt.Errorf("%s: %s %w", glob.Where, glob.Pattern, ErrPattern))
		}
	}
	return lacks
}

// recovered keeps a panic in one part from breaking the others.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error: %v", r)
	}
}

// cancelAfter gives the public registry no more than its patience once all else
// is done.
func cancelAfter(ctx context.Context, done <-chan struct{}, cancel context.CancelCauseFunc) {
	select {
	case <-done:
	case <-ctx.Done():
		return
	}
	select {
	case <-time.After(publicGrace):
		cancel(errPublicSlow)
	case <-ctx.Done():
	}
}

// part gets the token of one part of a list, unless that has failed lately.
func (b *Source) part(ctx context.Context, target registrymap.Target) (cache.Item, error) {
	if target.Refusal != nil {
		return cache.Item{}, fmt.Errorf("%s is left out: %w", target.Host, target.Refusal)
	}
	e := b.newAttempt(target, b.deadline())
	held, ok := e.held()
	if ok && held.Fresh(e.started) {
		return held, nil
	}
	if failure, failed := e.cache.Failure(e.key.Family); failed && !ok {
		pause := listPause
		if target.Registry.Public && failure.Kind == cache.Timeout {
			pause = publicPause
		}
		if e.started.Sub(failure.At).Abs() < pause {
			return cache.Item{}, fmt.Errorf("%s is left out: %w (so it was at %s; it is asked again after %s)", target.Host, &failure,
				failure.At.Format(time.TimeOnly), failure.At.Add(pause).Format(time.TimeOnly))
		}
	}
	item, err := b.Token(ctx, target)
	if err != nil {
		return cache.Item{}, fmt.Errorf("%s is left out: %w", target.Host, err)
	}
	return item, nil
}
