// Package tokensource gets tokens for registries: from the cache where it can, from
// AWS where it must, and so that however many processes want the same token,
// AWS is asked once.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK; what
// asks AWS is handed to it as a [Fetch].
package tokensource

import (
	"context"
	"errors"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
	"docker-credential-ecr-login/internal/stamp"
)

// Request is what a [Fetch] is to ask of AWS.
type Request struct {
	// Registry is whose token is wanted. The zero value asks for the token of
	// the principal's own registry, in the region that is configured or, where
	// none is, the one the instance is in.
	Registry registry.Registry
	// Principal is whom to ask as, and Where the place that says so, if any does.
	Principal registrymap.Principal
	Where     string
	// Env and Home are what else the principal is decided from, and Identity is the
	// key of what was: questions with the same one may share credentials.
	Env      config.Env
	Home     string
	Identity string
	// Shared are the texts of the AWS configuration, which the SDK is to be given in place of the
	// files: those may change meanwhile. What can't be read twice is none of them.
	Shared sharedconfig.Texts
	// Timeout bounds everything but a credential process, which may have to ask
	// a person and ends only with the context.
	Timeout time.Duration
	// ExtendDeadline is to be called when something begins that has a time of its
	// own, on top of the timeout.
	ExtendDeadline func(time.Duration)
	// OnInstance is set where this is taken to be an instance, so that its metadata service
	// is there and deserves the SDK's own patience.
	OnInstance bool
	Log        Logger
}

// NewRequest is what a [Source] would ask for a target, but for its log.
func NewRequest(settings config.Settings, env config.Env, target registrymap.Target) Request {
	return newRequest(settings, env, target, identity.Read(env, settings.Home, target.Principal))
}

func newRequest(settings config.Settings, env config.Env, target registrymap.Target, id identity.Identity) Request {
	return Request{
		Registry:       target.Registry,
		Principal:      target.Principal,
		Where:          target.Where,
		Env:            env,
		Home:           settings.Home,
		Identity:       id.Key,
		Shared:         id.Shared,
		Timeout:        settings.Timeout,
		ExtendDeadline: func(time.Duration) {},
		Log:            noLog{},
	}
}

// Response is what came of a [Request].
type Response struct {
	// Registry is the one that was asked for or, where none was, the
	// principal's own.
	Registry registry.Registry
	// Password opens it, and all others the principal has access to in its
	// region, for the user "AWS".
	Password string
	// Asked is when the question was asked, on the local clock, and Life how
	// long the token lives from then on.
	RequestedAt time.Time
	TTL         time.Duration
	// Changeable is set where the principal can become another one while all
	// that can be read locally stays as it is.
	PrincipalMayChange bool
	// Default is set where Registry is the principal's own, in its own region.
	Default bool
	// Login is the access token or the access key that the SDK has used of a login session, and
	// written to its file, if it has refreshed that.
	Login string
	// Used is where the credentials came from.
	Used identity.Used
	// FromFiles is set where the SDK could not be given the texts of the question, and has read the
	// files.
	FromFiles bool
}

// Fetch asks AWS. An error is a [*cache.Failure].
type Fetch func(context.Context, Request) (Response, error)

// Logger gets a line for every decision. A logrus.Logger is one.
type Logger interface {
	Debugf(format string, args ...any)
	Infof(format string, args ...any)
	Errorf(format string, args ...any)
}

// ErrCacheMiss says that the cache doesn't have what was asked for, and that there is
// nobody to ask.
var ErrCacheMiss = errors.New("not in the cache")

// Source gets tokens. Use [NewBroker] to make one.
type Source struct {
	Settings config.Settings
	Env      config.Env
	Cache    *cache.Cache
	// Fetch asks AWS. Without one, what the cache doesn't have fresh is
	// [ErrCacheMiss], and nothing is changed by asking for it.
	Fetch Fetch
	Log   Logger
	// ExtendDeadline and OnInstance are those of every [Request].
	ExtendDeadline func(time.Duration)
	OnInstance     bool
	// Began is when the timeout began to count, if not at each call.
	Began time.Time
}

// NewBroker returns the broker that the settings and the environment ask for.
func New(settings config.Settings, env config.Env, fetch Fetch, log Logger) *Source {
	if log == nil {
		log = noLog{}
	}
	if settings.CacheErr != nil {
		log.Errorf("no token is kept: %v", settings.CacheErr)
	}
	return &Source{
		Settings:       settings,
		Env:            env,
		Cache:          cache.New(settings.CacheDir),
		Fetch:          fetch,
		Log:            log,
		ExtendDeadline: func(time.Duration) {},
	}
}

type noLog struct{}

func (noLog) Debugf(string, ...any) {}
func (noLog) Infof(string, ...any)  {}
func (noLog) Errorf(string, ...any) {}

// errMoved says that what decides the principal changed while it was asked for.
var errChanged = errors.New("the AWS configuration changed meanwhile")

// Password returns what opens the target for the user "AWS". An error is a
// [*cache.Failure].
func (b *Source) Password(ctx context.Context, target registrymap.Target) (string, error) {
	token, err := b.Token(ctx, target)
	return token.Password, err
}

// Token gets the token of a target or, where that has no registry, of the
// principal's own. An error is a [*cache.Failure].
func (b *Source) Token(ctx context.Context, target registrymap.Target) (cache.Item, error) {
	if target.Refusal != nil {
		return cache.Item{}, &cache.Failure{Kind: cache.Misconfigured, Reason: target.Refusal.Error(), At: time.Now()}
	}
	deadline := b.deadline()
	for range maxTries {
		item, err := b.newAttempt(target, deadline).run(ctx)
		if !errors.Is(err, errChanged) {
			return item, err
		}
		b.Log.Debugf("%v: beginning again", err)
	}
	return cache.Item{}, b.keptChanging()
}

// maxTries is how often AWS is asked while the configuration changes.
const maxTries = 5

func (b *Source) keptChanging() error {
	return &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: "what decides whose token it is kept changing while one was asked for: the AWS configuration, a web identity token or a login",
		Hint:   "try again",
		At:     time.Now(),
	}
}

// Forget removes the tokens that could serve the target, so that the next get
// asks AWS.
func (b *Source) Forget(ctx context.Context, target registrymap.Target) {
	e := b.newAttempt(target, b.deadline())
	// Whoever adopts a sibling does so under the lock.
	release, err := e.lock(ctx)
	defer release()
	if err != nil {
		b.Log.Debugf("forgetting the tokens for %s without a lock: %v", target.Host, err)
	}
	e.cache.Purge(e.key.Family)
	e.cache.ClearFailure(keyOf(e.id, registry.Registry{}).Family)
	b.Log.Debugf("forgot the tokens for %s", target.Host)
}

// deadline leaves a little of the time to tell why there was too little.
func (b *Source) deadline() time.Time {
	began := b.Began
	if began.IsZero() {
		began = time.Now()
	}
	return began.Add(b.Settings.Timeout - b.Settings.Timeout/20)
}

func (b *Source) newAttempt(target registrymap.Target, deadline time.Time) *attempt {
	id, _ := b.identity(target.Principal) // it is looked at again before it counts for AWS
	e := &attempt{
		Source:   b,
		cache:    b.cacheFor(id),
		id:       id,
		target:   target,
		key:      keyOf(id, target.Registry),
		started:  time.Now(),
		deadline: deadline,
	}
	b.Log.Debugf("%s: identity %.12s (%s), region %s, %s", target.Host, id.Key, id.CredentialSource, e.key.Region, e.key.EndpointVariant)
	return e
}

// identity reads the identity, and waits a moment for files that are being written. It reports
// whether that has helped.
func (b *Source) identity(asked registrymap.Principal) (id identity.Identity, settled bool) {
	for range 4 {
		id = identity.Read(b.Env, b.Settings.Home, asked)
		wait := stamp.Wait(id.Settles, time.Now())
		if wait == 0 {
			return id, true
		}
		time.Sleep(wait)
	}
	return id, false
}

func (b *Source) cacheFor(id identity.Identity) *cache.Cache {
	if id.Uncacheable {
		return cache.New("")
	}
	return b.Cache
}

func keyOf(id identity.Identity, r registry.Registry) cache.Key {
	if r == (registry.Registry{}) {
		// No token is saved under this key; it names a lock and a failure.
		return cache.Key{Family: cache.Family{Identity: id.Key, Region: "own", EndpointVariant: "own"}}
	}
	return cache.Key{
		Family:   cache.Family{Identity: id.Key, Region: r.TokenRegion(), EndpointVariant: r.EndpointVariant()},
		Registry: r.ID(),
	}
}
