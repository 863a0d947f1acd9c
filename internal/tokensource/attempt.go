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

	// mayChangeTime is how long a token is served without a look at whose it
	// is, where its principal can change unseen.
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
	// and settled is set where they weren't just being written.
	tokenStamp, loginStamp stamp.Stamp
	settled                bool
}

func (e *attempt) run(ctx context.Context) (cache.Item, error) {
	held, ok := e.held()
	switch {
	case ok && held.Fresh(e.started):
		e.Log.Debugf("cache: a token fresh until %s", held.FreshUntil.Format(time.RFC3339))
		return held, nil
	case e.Fetch == nil:
		return cache.Item{}, ErrCacheMiss
	case ok:
		return e.renew(ctx, held)
	default:
		return e.acquire(ctx)
	}
}

// held returns what the cache has for the attempt, fresh or not.
func (e *attempt) held() (cache.Item, bool) {
	if e.target.Registry != (registry.Registry{}) {
		token, ok := e.cache.Get(e.key)
		return cache.Item{Key: e.key, Token: token}, ok
	}
	for _, item := range e.cache.Items(e.id.Key) {
		if item.Default {
			return item, true
		}
	}
	return cache.Item{}, false
}

// acquire gets a token where the cache has none.
func (e *attempt) acquire(ctx context.Context) (cache.Item, error) {
	release, err := e.lock(ctx)
	defer release()
	e.Log.Debugf("cache: no token")
	if err != nil {
		e.Log.Debugf("going on without a lock: %v", err)
	}
	if err := e.reread(); err != nil {
		return cache.Item{}, err
	}
	if item, ok := e.recheck(); ok {
		return item, nil
	}
	if why, ok := e.cache.Failure(e.key.Family); ok && !why.At.Before(e.started) {
		e.Log.Debugf("cache: another process has just failed: %s", why.Reason)
		return cache.Item{}, &why
	}
	return e.fetch(ctx, time.Until(e.deadline))
}

// renew tries to replace a token that still works, and serves it where that
// isn't to be had.
func (e *attempt) renew(ctx context.Context, held cache.Item) (cache.Item, error) {
	if why, ok := e.cache.Failure(e.key.Family); ok && e.started.Sub(why.At).Abs() < renewalPause {
		e.Log.Debugf("cache: serving a token past its freshness; renewing it failed: %s", why.Reason)
		return held, nil
	}
	release, err := e.cache.TryLock(e.key.Family)
	defer release()
	if errors.Is(err, cache.ErrHeld) {
		e.Log.Debugf("cache: serving a token past its freshness; another process renews it")
		return held, nil
	}
	if err := e.reread(); err != nil {
		return cache.Item{}, err
	}
	if item, ok := e.recheck(); ok {
		return item, nil
	}
	item, err := e.fetch(ctx, min(renewalTime, time.Until(e.deadline)))
	var why *failure.Failure
	if errors.As(err, &why) && why.Kind != failure.Denied {
		e.Log.Debugf("serving a token past its freshness; renewing it failed: %s", why.Reason)
		return held, nil
	}
	return item, err
}

// lock waits at most half of the time there is, so that a holder that is
// stopped stops nobody else.
func (e *attempt) lock(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Until(e.deadline)/2)
	defer cancel()
	return e.cache.Lock(ctx, e.key.Family)
}

// recheck returns a fresh token that another process has saved since, or one
// of a sibling registry.
func (e *attempt) recheck() (cache.Item, bool) {
	now := time.Now()
	if item, ok := e.held(); ok && item.Fresh(now) {
		e.Log.Debugf("cache: another process has just saved a token")
		return item, true
	}
	sibling, ok := e.cache.Sibling(e.key.Family)
	if !ok {
		return cache.Item{}, false
	}
	sibling.Default = false
	e.Log.Debugf("cache: adopting a sibling's token")
	return e.save(e.key, sibling), true
}

// reread reads anew what decides the principal, and notes what the files are that the SDK is about to
// read for itself.
func (e *attempt) reread() error {
	e.tokenStamp, e.loginStamp = e.id.TokenStamp(), e.id.LoginStamp()
	id, settled := e.identity(e.target.Principal)
	if id.Key != e.id.Key || id.Uncacheable != e.id.Uncacheable {
		return errChanged
	}
	e.id, e.settled = id, settled
	return nil
}

// fetch asks AWS and saves what came of it.
func (e *attempt) fetch(ctx context.Context, timeout time.Duration) (cache.Item, error) {
	q := e.newRequest(e.target, e.id)
	// Credentials that were got while files changed are those of nobody for certain.
	q.Identity += string(e.tokenStamp + e.loginStamp)
	q.Timeout, q.Log = timeout, e.Log
	answer, err := e.Fetch(ctx, q)
	id, moved := e.id, !e.id.Uncacheable && e.tokenStamp != e.id.TokenStamp()
	if err == nil && !moved && !id.Uncacheable {
		id, moved = e.afterLogin(answer)
	}
	switch {
	case moved && time.Now().Before(e.deadline):
		return cache.Item{}, errChanged
	case err != nil:
		e.putFailure(ctx, err)
		return cache.Item{}, err
	case moved:
		return cache.Item{}, e.keptChanging()
	}
	item := cache.Item{Key: keyOf(id, answer.Registry), Token: tokenOf(answer, e.id.CredentialSource)}
	e.Log.Infof("AWS gave a token for %s, which expires at %s", answer.Registry.Host(), item.Expires.Format(time.RFC3339))
	switch {
	case !id.Covers(answer.Used):
		e.Log.Debugf("cache: the token isn't kept: the AWS configuration is read differently by the SDK")
		return item, nil
	case answer.FromFiles, !e.settled && e.id.HasFiles():
		e.Log.Debugf("cache: the token isn't kept: the SDK has read files that may have changed meanwhile")
		return item, nil
	}
	return e.save(item.Key, item.Token), nil
}

// afterLogin returns the identity with the login file that the SDK has rewritten, and whether anything
// else has happened to login files.
func (e *attempt) afterLogin(answer Response) (id identity.Identity, moved bool) {
	before := e.id.LoginStamp()
	if before == e.loginStamp {
		return e.id, false
	}
	id, settled := e.identity(e.target.Principal)
	return id, !settled || before != id.LoginStamp() || !id.SameLogin(e.id, answer.Login)
}

// putFailure keeps a failure for those who want the same token, unless it is the
// caller's own doing. What ends a context of this package has a cause of its own.
func (e *attempt) putFailure(ctx context.Context, err error) {
	e.Log.Errorf("%v", err)
	var why *failure.Failure
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded), !errors.As(err, &why):
		return
	}
	if why.Kind == failure.Denied {
		e.cache.Purge(e.key.Family)
	}
	if err := e.cache.PutFailure(e.key.Family, *why); err != nil {
		e.Log.Debugf("cache: the failure isn't kept: %v", err)
	}
}

func (e *attempt) save(key cache.Key, token cache.Token) cache.Item {
	if err := e.cache.Put(key, token); err != nil {
		e.Log.Debugf("cache: the token isn't kept: %v", err)
	}
	// What works for one registry may work for a list again.
	e.cache.ClearFailure(keyOf(e.id, registry.Registry{}).Family)
	return cache.Item{Key: key, Token: token}
}

// tokenOf decides how long the token counts as fresh: half its life, but less
// where its principal can change unseen.
func tokenOf(a Response, source string) cache.Token {
	fresh := a.TTL / 2
	if a.PrincipalMayChange {
		fresh = min(fresh, mayChangeTime)
	}
	// Machines that were started together are not to ask together again.
	fresh -= rand.N(fresh/jitter + 1)
	return cache.Token{
		Password:         a.Password,
		RequestedAt:      a.RequestedAt,
		FreshUntil:       a.RequestedAt.Add(fresh),
		Expires:          a.RequestedAt.Add(a.TTL),
		CredentialSource: source,
		Default:          a.Default,
	}
}
