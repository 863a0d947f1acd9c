package tokensource

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/stamp"
)

const (
	// renewalTime is how long a get with a token that still works may be held
	// up by the attempt to renew it, a credential process apart, and
	// renewalPause how long after a failed attempt nobody tries again.
	renewalTime  = 2 * time.Second
	renewalPause = time.Minute

	// mayChangeTime is how long a token is fresh if its principal can change unseen.
	mayChangeTime = time.Hour

	// jitter is the part of its freshness that a token may lose.
	jitter = 6
)

// attempt is one try to get one token, for one identity.
type attempt struct {
	*Source
	cache             *cache.Cache
	id                identity.Identity
	target            registrymap.Target
	key               cache.Key
	started, deadline time.Time

	// tokenStamp and loginStamp are those of files that the SDK reads for itself, from before it does,
	// and settled is set if they weren't just being written.
	tokenStamp, loginStamp stamp.Stamp
	settled                bool
}

func (a *attempt) run(ctx context.Context) (cache.Item, error) {
	held, ok := a.held()
	switch {
	case ok && held.Fresh(a.started):
		a.Log.Debugf("cache: a token fresh until %s", held.FreshUntil.Format(time.RFC3339))
		return held, nil
	case a.Fetch == nil:
		return cache.Item{}, ErrCacheMiss
	case ok:
		return a.renew(ctx, held)
	default:
		return a.acquire(ctx)
	}
}

// held returns what the cache has for the attempt, fresh or not.
func (a *attempt) held() (cache.Item, bool) {
	if a.target.Registry != (registry.Registry{}) {
		token, ok := a.cache.Get(a.key)
		return cache.Item{Key: a.key, Token: token}, ok
	}
	for _, item := range a.cache.Items(a.id.Key) {
		if item.Default {
			return item, true
		}
	}
	return cache.Item{}, false
}

// acquire gets a token if the cache has none.
func (a *attempt) acquire(ctx context.Context) (cache.Item, error) {
	release, err := a.lock(ctx)
	defer release()
	a.Log.Debugf("cache: no token")
	if err != nil {
		a.Log.Debugf("going on without a lock: %v", err)
	}
	if err := a.reread(); err != nil {
		return cache.Item{}, err
	}
	if item, ok := a.recheck(); ok {
		return item, nil
	}
	if why, ok := a.cache.Failure(a.key.Family); ok && !why.At.Before(a.started) {
		a.Log.Debugf("cache: another process has just failed: %s", why.Reason)
		return cache.Item{}, &why
	}
	return a.fetch(ctx, time.Until(a.deadline))
}

// renew tries to replace a token that still works, and returns the old one if it can't.
func (a *attempt) renew(ctx context.Context, held cache.Item) (cache.Item, error) {
	if why, ok := a.cache.Failure(a.key.Family); ok && a.started.Sub(why.At).Abs() < renewalPause {
		a.Log.Debugf("cache: serving a token past its freshness; renewing it failed: %s", why.Reason)
		return held, nil
	}
	release, err := a.cache.TryLock(a.key.Family)
	defer release()
	if errors.Is(err, cache.ErrHeld) {
		a.Log.Debugf("cache: serving a token past its freshness; another process renews it")
		return held, nil
	}
	if err := a.reread(); err != nil {
		return cache.Item{}, err
	}
	if item, ok := a.recheck(); ok {
		return item, nil
	}
	item, err := a.fetch(ctx, min(renewalTime, time.Until(a.deadline)))
	var why *failure.Failure
	if errors.As(err, &why) && why.Kind != failure.Denied {
		a.Log.Debugf("serving a token past its freshness; renewing it failed: %s", why.Reason)
		return held, nil
	}
	return item, err
}

// lock waits at most half of the time there is, so that a holder that is
// stopped stops nobody else.
func (a *attempt) lock(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Until(a.deadline)/2)
	defer cancel()
	return a.cache.Lock(ctx, a.key.Family)
}

// recheck returns a fresh token that another process has saved since, or one
// of a sibling registry.
func (a *attempt) recheck() (cache.Item, bool) {
	now := time.Now()
	if item, ok := a.held(); ok && item.Fresh(now) {
		a.Log.Debugf("cache: another process has just saved a token")
		return item, true
	}
	sibling, ok := a.cache.Sibling(a.key.Family)
	if !ok {
		return cache.Item{}, false
	}
	sibling.Default = false
	a.Log.Debugf("cache: adopting a sibling's token")
	return a.save(a.key, sibling), true
}

// reread reads anew what decides the principal, and notes what the files are that the SDK is about to
// read for itself.
func (a *attempt) reread() error {
	a.tokenStamp, a.loginStamp = a.id.TokenStamp(), a.id.LoginStamp()
	id, settled := a.identity(a.target.Principal)
	if id.Key != a.id.Key || id.Uncacheable != a.id.Uncacheable {
		return errChanged
	}
	a.id, a.settled = id, settled
	return nil
}

// fetch asks AWS and saves what came of it.
func (a *attempt) fetch(ctx context.Context, timeout time.Duration) (cache.Item, error) {
	q := a.newRequest(a.target, a.id)
	// Credentials that were got while files changed are those of nobody for certain.
	q.Identity += string(a.tokenStamp + a.loginStamp)
	q.Timeout, q.Log = timeout, a.Log
	response, err := a.Fetch(ctx, q)
	id, moved := a.id, !a.id.Uncacheable && a.tokenStamp != a.id.TokenStamp()
	if err == nil && !moved && !id.Uncacheable {
		id, moved = a.afterLogin(response)
	}
	switch {
	case moved && time.Now().Before(a.deadline):
		return cache.Item{}, errChanged
	case err != nil:
		a.putFailure(ctx, err)
		return cache.Item{}, err
	case moved:
		return cache.Item{}, a.keptChanging()
	}
	item := cache.Item{Key: KeyOf(id.Key, response.Registry), Token: tokenOf(response, a.id.CredentialSource)}
	a.Log.Infof("AWS gave a token for %s, which expires at %s", response.Registry.Host(), item.Expires.Format(time.RFC3339))
	switch {
	case !id.Covers(response.Used):
		a.Log.Debugf("cache: the token isn't kept: the AWS configuration is read differently by the SDK")
		return item, nil
	case response.FromFiles, !a.settled && a.id.HasFiles():
		a.Log.Debugf("cache: the token isn't kept: the SDK has read files that may have changed meanwhile")
		return item, nil
	}
	return a.save(item.Key, item.Token), nil
}

// afterLogin returns the identity with the login file that the SDK has rewritten, and whether anything
// else has happened to login files.
func (a *attempt) afterLogin(response Response) (id identity.Identity, moved bool) {
	before := a.id.LoginStamp()
	if before == a.loginStamp {
		return a.id, false
	}
	id, settled := a.identity(a.target.Principal)
	return id, !settled || before != id.LoginStamp() || !id.SameLogin(a.id, response.Login)
}

// putFailure keeps a failure for those who want the same token, unless it is the
// caller's own doing. What ends a context of this package has a cause of its own.
func (a *attempt) putFailure(ctx context.Context, err error) {
	a.Log.Errorf("%v", err)
	var why *failure.Failure
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded), !errors.As(err, &why):
		return
	}
	if why.Kind == failure.Denied {
		a.cache.Purge(a.key.Family)
	}
	if err := a.cache.PutFailure(a.key.Family, *why); err != nil {
		a.Log.Debugf("cache: the failure isn't kept: %v", err)
	}
}

func (a *attempt) save(key cache.Key, token cache.Token) cache.Item {
	if err := a.cache.Put(key, token); err != nil {
		a.Log.Debugf("cache: the token isn't kept: %v", err)
	}
	// What works for one registry may work for a list again.
	a.cache.ClearFailure(KeyOf(a.id.Key, registry.Registry{}).Family)
	return cache.Item{Key: key, Token: token}
}

// tokenOf returns the token of a response. It is fresh for half its life, but less if its principal
// can change unseen.
func tokenOf(response Response, source string) cache.Token {
	fresh := response.TTL / 2
	if response.PrincipalMayChange {
		fresh = min(fresh, mayChangeTime)
	}
	// Machines that were started together are not to ask together again.
	fresh -= rand.N(fresh/jitter + 1)
	return cache.Token{
		Password:         response.Password,
		RequestedAt:      response.RequestedAt,
		FreshUntil:       response.RequestedAt.Add(fresh),
		Expires:          response.RequestedAt.Add(response.TTL),
		CredentialSource: source,
		Default:          response.Default,
	}
}
