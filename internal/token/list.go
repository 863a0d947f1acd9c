package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
)

const (
	// listPause is how long a list does without a part that failed, and
	// silencePause how long without one that didn't answer: asking again would
	// cost as much time again.
	listPause    = time.Minute
	silencePause = 10 * time.Minute

	// publicPatience is how much longer than the rest the public registry may
	// take: hardly anybody lists for its sake.
	publicPatience = 2 * time.Second
)

var errPublicSlow = errors.New("public ECR took longer than all else")

// List returns the registries there are credentials for: the principal's own,
// those it has fresh tokens for, and the public one where that answers. What is
// missing is explained by an error each; one part never breaks another.
func (b *Broker) List(ctx context.Context) ([]registry.Registry, []error) {
	var (
		own, public       cache.Item
		ownErr, publicErr error
		ownDone           = make(chan struct{})
		id                = identity.Read(b.Env, b.Settings.Home)
		wg                sync.WaitGroup
	)
	wg.Go(func() {
		defer close(ownDone)
		defer recovered(&ownErr)
		own, ownErr = b.part(ctx, id, registry.Registry{}, "your own registry")
	})
	wg.Go(func() {
		defer recovered(&publicErr)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go cancelAfter(ctx, ownDone, cancel)
		public, publicErr = b.part(ctx, id, registry.Registry{Public: true}, "public ECR")
	})
	wg.Wait()

	var list []registry.Registry
	add := func(item cache.Item) {
		r, ok := registry.Of(item.Registry, item.Region, item.Flavour)
		if ok && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	add(own)
	add(public)
	now := time.Now()
	for _, item := range b.cacheFor(id).Items(id.Key) {
		if item.Fresh(now) {
			add(item)
		}
	}
	return list, slices.DeleteFunc([]error{ownErr, publicErr}, func(err error) bool { return err == nil })
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
	case <-time.After(publicPatience):
		cancel(errPublicSlow)
	case <-ctx.Done():
	}
}

// part gets the token of one part of a list, unless that has failed lately.
func (b *Broker) part(ctx context.Context, id identity.Identity, r registry.Registry, name string) (cache.Item, error) {
	e := b.errand(id, r, b.deadline())
	held, ok := e.held()
	if ok && held.Fresh(e.started) {
		return held, nil
	}
	if failure, failed := e.cache.Failure(e.key.Family); failed && !ok {
		pause := listPause
		if failure.Kind == cache.Silent {
			pause = silencePause
		}
		if e.started.Sub(failure.At).Abs() < pause {
			return cache.Item{}, fmt.Errorf("%s is left out: %w (so it was at %s; it is asked again after %s)", name, &failure,
				failure.At.Format(time.TimeOnly), failure.At.Add(pause).Format(time.TimeOnly))
		}
	}
	item, err := b.token(ctx, r)
	if err != nil {
		return cache.Item{}, fmt.Errorf("%s is left out: %w", name, err)
	}
	return item, nil
}
