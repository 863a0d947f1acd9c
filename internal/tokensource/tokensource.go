// Package tokensource gets tokens for registries: from the cache if it can, else from AWS. However
// many processes want the same token, AWS is asked once.
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
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
	"docker-credential-ecr-login/internal/stamp"
)

// Request is what a [Fetch] asks of AWS.
type Request struct {
	// Registry is whose token is wanted. The zero value asks for the token of
	// the principal's own registry, in the region that is configured or, if none
	// is, the one the instance is in.
	Registry registry.Registry
	// Principal is whom to ask as, and Where the place that says so, if any does.
	Principal registrymap.Principal
	Where     string
	// Env and Home are what else the principal is decided from, and Identity is the
	// key of what was: requests with the same one may share credentials.
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
	// OnInstance is set if this is taken to be an instance, so that its metadata service
	// is there and deserves the SDK's own timeouts.
	OnInstance bool
	Log        Logger
}

// NewRequest returns the request of a [Source] for a target, but for its log.
func (r *Resolver) NewRequest(target registrymap.Target) Request {
	return r.newRequest(target, identity.Read(r.Env, r.Settings.Home, target.Principal))
}

func (r *Resolver) newRequest(target registrymap.Target, id identity.Identity) Request {
	q := Request{
		Registry:       target.Registry,
		Principal:      target.Principal,
		Where:          target.Where,
		Env:            r.Env,
		Home:           r.Settings.Home,
		Identity:       id.Key,
		Shared:         id.Shared,
		Timeout:        r.Settings.Timeout,
		ExtendDeadline: r.ExtendDeadline,
		OnInstance:     r.OnInstance,
		Log:            noLog{},
	}
	if q.ExtendDeadline == nil {
		q.ExtendDeadline = func(time.Duration) {}
	}
	return q
}

// Response is what came of a [Request].
type Response struct {
	// Registry is the one of the request or, if that has none, the principal's own.
	Registry registry.Registry
	// Password opens it, and all others the principal has access to in its
	// region, for the user "AWS".
	Password string
	// RequestedAt is when AWS was asked, on the local clock, and TTL is how
	// long the token lives from then on.
	RequestedAt time.Time
	TTL         time.Duration
	// PrincipalMayChange is set if the principal can become another one while all
	// that can be read locally stays as it is.
	PrincipalMayChange bool
	// Default is set if Registry is the principal's own, in its own region.
	Default bool
	// Login is the access token or the access key that the SDK has used of a login session, and
	// written to its file, if it has refreshed that.
	Login string
	// Used is where the credentials came from.
	Used identity.Used
	// FromFiles is set if the SDK could not be given the texts of the request, and has read the
	// files.
	FromFiles bool
}

// Fetch asks AWS. An error is a [*failure.Failure].
type Fetch func(context.Context, Request) (Response, error)

// Logger gets a line for every decision. A logrus.Logger is one.
type Logger interface {
	Debugf(format string, args ...any)
	Infof(format string, args ...any)
	Errorf(format string, args ...any)
}

// ErrCacheMiss says that the cache doesn't have a token, and that the resolver was given nothing to
// ask AWS with or to write the log with.
var ErrCacheMiss = errors.New("not in the cache")

// Source gives tokens. [Resolver.Source] makes one.
type Source struct {
	Resolver // with a log
	Cache    *cache.Cache
}

type noLog struct{}

func (noLog) Debugf(string, ...any) {}
func (noLog) Infof(string, ...any)  {}
func (noLog) Errorf(string, ...any) {}

// errChanged says that what decides the principal changed during an attempt.
var errChanged = errors.New("the AWS configuration changed meanwhile")

// Token returns the token of a target or, if that has no registry, of the principal's own. The error
// is a [*failure.Failure] or [ErrCacheMiss].
func (s *Source) Token(ctx context.Context, target registrymap.Target) (cache.Item, error) {
	if target.Refusal != nil {
		return cache.Item{}, failure.New(failure.Misconfigured, "", "%v", target.Refusal)
	}
	deadline := s.workDeadline()
	for range maxTries {
		item, err := s.newAttempt(target, deadline).run(ctx)
		if !errors.Is(err, errChanged) {
			return item, err
		}
		s.Log.Debugf("%v: beginning again", err)
	}
	return cache.Item{}, s.keptChanging()
}

// maxTries is how often AWS is asked while the configuration changes.
const maxTries = 5

func (s *Source) keptChanging() error {
	return failure.New(failure.Misconfigured, "try again",
		"what decides whose token it is kept changing while one was asked for: the AWS configuration, a web identity token or a login")
}

// Forget removes the tokens that could serve the target, so that the next get
// asks AWS.
func (s *Source) Forget(ctx context.Context, target registrymap.Target) {
	a := s.newAttempt(target, s.workDeadline())
	// Whoever adopts a sibling does so under the lock.
	release, err := a.lock(ctx)
	defer release()
	if err != nil {
		s.Log.Debugf("forgetting the tokens for %s without a lock: %v", target.Host, err)
	}
	a.cache.Purge(a.key.Family)
	a.cache.ClearFailure(KeyOf(a.id.Key, registry.Registry{}).Family)
	s.Log.Debugf("forgot the tokens for %s", target.Host)
}

func (s *Source) newAttempt(target registrymap.Target, deadline time.Time) *attempt {
	id, _ := s.identity(target.Principal) // it is looked at again before it counts for AWS
	a := &attempt{
		Source:   s,
		cache:    s.cacheFor(id),
		id:       id,
		target:   target,
		key:      KeyOf(id.Key, target.Registry),
		started:  time.Now(),
		deadline: deadline,
	}
	s.Log.Debugf("%s: identity %.12s (%s), region %s, %s", target.Host, id.Key, id.CredentialSource, a.key.Region, a.key.EndpointVariant)
	return a
}

// identity reads the identity, and waits a moment for files that are being written. It reports
// whether that has helped.
func (s *Source) identity(asked registrymap.Principal) (id identity.Identity, settled bool) {
	for range 4 {
		id = identity.Read(s.Env, s.Settings.Home, asked)
		wait := stamp.Wait(id.Settles, time.Now())
		if wait == 0 {
			return id, true
		}
		time.Sleep(wait)
	}
	return id, false
}

func (s *Source) cacheFor(id identity.Identity) *cache.Cache {
	if id.Uncacheable {
		return cache.New("")
	}
	return s.Cache
}
