package tokensource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

const (
	// listPause is how long a list omits a part that failed. publicPause is how long it omits
	// public ECR after a timeout: hardly anybody lists for its sake, and another attempt would
	// take as much time again.
	listPause   = time.Minute
	publicPause = 10 * time.Minute

	// publicGrace is how much longer than the rest the public registry may
	// take: hardly anybody lists for its sake.
	publicGrace = 2 * time.Second
)

// ErrPattern is in the chain of an error of [Source.List] that is about no failure.
var ErrPattern = errors.New("is a pattern, which a list can't hold; name hosts, or accounts and regions, to list them")

var errPublicSlow = errors.New("public ECR took longer than all else")

// List returns the hosts there are credentials for: those the map names, the principal's own
// registry, those it was given a token for in the last 30 days, and public ECR if that answers.
// If the map has an entry, List makes no request: the rest comes from the cache. Each of the errors in
// omitted explains what is missing; one part never breaks another. The error is [ErrCacheMiss].
func (s *Source) List(ctx context.Context) (hosts []string, omitted []error, err error) {
	hosts = s.Settings.Map.Hosts()
	if s.Settings.Map.IsEmpty() {
		own := part{target: s.Settings.Map.Own()}
		public := part{target: registrymap.Target{Host: "public ECR", Registry: registry.Registry{Public: true}}}
		s.fetchParts(ctx, &own, &public)
		for _, p := range []part{own, public} {
			switch r, ok := RegistryOf(p.item.Key); {
			case errors.Is(p.err, ErrCacheMiss):
				return nil, nil, ErrCacheMiss
			case p.err != nil:
				omitted = append(omitted, p.err)
			case ok:
				hosts = append(hosts, r.Host())
			}
		}
	}
	hosts = append(hosts, s.cached()...)
	slices.Sort(hosts)
	return slices.Compact(hosts), append(omitted, s.omittedPatterns(hosts)...), nil
}

// part is one of the two registries that a list asks AWS for, and what came of it.
type part struct {
	target registrymap.Target
	item   cache.Item
	err    error
}

// fetchParts fetches both at once. The public one gets no more than its grace once the other is done.
func (s *Source) fetchParts(ctx context.Context, own, public *part) {
	publicCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() { s.fetchPart(publicCtx, public) })
	s.fetchPart(ctx, own)
	timer := time.AfterFunc(publicGrace, func() { cancel(errPublicSlow) })
	defer timer.Stop()
	wg.Wait()
}

// cached lists the registries that the cache knows, for each principal that the map names no
// hosts for: a get renews their tokens. Public ECR is listed only while its token is valid.
func (s *Source) cached() []string {
	principals := []registrymap.Principal{{}, s.Settings.Map.Default}
	for _, entry := range s.Settings.Map.Patterns() {
		principals = append(principals, entry.Principal)
	}
	var hosts []string
	for i, principal := range principals {
		if slices.Contains(principals[:i], principal) {
			continue
		}
		id, _ := s.identity(principal)
		c := s.cacheFor(id)
		keys := c.Known(id.Key)
		for _, item := range c.Items(id.Key) { // which an older version has saved, perhaps
			keys = append(keys, item.Key)
		}
		for _, key := range keys {
			r, ok := RegistryOf(key)
			if _, valid := c.Get(key); !ok || r.Public && !valid {
				continue
			}
			if target, _ := s.Settings.Map.Find(r.Host()); target.Principal == principal {
				hosts = append(hosts, r.Host())
			}
		}
	}
	return hosts
}

// omittedPatterns explains the entries of the map with a pattern that none of the hosts matches.
func (s *Source) omittedPatterns(hosts []string) []error {
	var omitted []error
	for _, entry := range s.Settings.Map.Patterns() {
		if !slices.ContainsFunc(hosts, func(host string) bool {
			r, ok := registry.Parse(host)
			return ok && entry.Pattern.Matches(r)
		}) {
			omitted = append(omitted, fmt.Errorf("%s: %s %w", entry.Where, entry.Pattern, ErrPattern))
		}
	}
	return omitted
}

// fetchPart gets the token of one part, unless that has failed lately.
func (s *Source) fetchPart(ctx context.Context, p *part) {
	defer func() {
		if r := recover(); r != nil {
			p.err = fmt.Errorf("internal error: %v", r)
		}
		if p.err != nil {
			p.err = fmt.Errorf("%s is left out: %w", p.target.Host, p.err)
		}
	}()
	a := s.newAttempt(p.target, s.workDeadline())
	held, ok := a.held()
	if ok && held.Fresh(a.started) {
		p.item = held
		return
	}
	if why, failed := a.cache.Failure(a.key.Family); failed && !ok {
		pause := listPause
		if p.target.Registry.Public && why.Kind == failure.Timeout {
			pause = publicPause
		}
		if a.started.Sub(why.At).Abs() < pause {
			p.err = fmt.Errorf("%w (so it was at %s; it is asked again after %s)", &why,
				why.At.Format(time.TimeOnly), why.At.Add(pause).Format(time.TimeOnly))
			return
		}
	}
	p.item, p.err = s.Token(ctx, p.target)
}
