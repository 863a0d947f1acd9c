package tokensource

import (
	"errors"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/deadline"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registrymap"
)

// ErrOtherHost is the error for a server that is neither an ECR registry nor an alias in the
// registry map.
var ErrOtherHost = errors.New("not an ECR registry, nor an alias in the registry map")

// Resolver finds out what a server stands for and what gives its token. It is the one way from a
// host to a token for every protocol and for the library. [Load] makes one.
type Resolver struct {
	Env      config.Env
	Settings config.Settings
	// Err is what is wrong with the settings, which are complete all the same.
	Err error

	// Fetch asks AWS, and OpenLog opens the log that the settings ask for. Without them, what needs
	// them is [ErrCacheMiss], and nothing is changed.
	Fetch   Fetch
	OpenLog func(file, level string) (Logger, error)
	// Log, if there is one, is the log in place of that of the settings.
	Log Logger
	// Began is when the timeout began to count, if not at each call.
	Began time.Time
	// ExtendDeadline and OnInstance are those of every [Request]. ExtendDeadline may be nil.
	ExtendDeadline func(time.Duration)
	OnInstance     bool
}

// Load returns a resolver with the settings of an environment and a home, and without the functions.
func Load(env config.Env, home string) *Resolver {
	r := &Resolver{Env: env}
	r.Settings, r.Err = config.Load(env, home)
	return r
}

// Resolve returns what a server stands for and what gives its token. The error is that of
// [Resolver.Find] or [ErrCacheMiss].
func (r *Resolver) Resolve(server string) (registrymap.Target, *Source, error) {
	target, err := r.Find(server)
	if err != nil {
		return target, nil, err
	}
	source, err := r.Source()
	return target, source, err
}

// Find returns what a server stands for. The error is [ErrOtherHost] or that of the settings. The
// target is zero for another host; if the settings are wrong, it may be an alias all the same.
func (r *Resolver) Find(server string) (registrymap.Target, error) {
	target, managed := r.Settings.Map.Find(server)
	if !managed && r.Err == nil {
		return target, ErrOtherHost
	}
	return target, r.Err
}

// Source returns what gives the tokens of all registries.
func (r *Resolver) Source() (*Source, error) {
	s := &Source{Resolver: *r, Cache: cache.New(r.Settings.CacheDir)}
	switch file := r.Settings.LogFile; {
	case r.Log != nil:
	case file != "" && r.OpenLog == nil:
		return nil, ErrCacheMiss
	case file != "":
		if log, err := r.OpenLog(file, r.Settings.LogLevel); err == nil { // else it is no reason to fail
			s.Log = log
		}
	}
	if s.Log == nil {
		s.Log = noLog{}
	}
	if err := r.Settings.CacheErr; err != nil {
		s.Log.Errorf("no token is kept: %v", err)
	}
	return s, nil
}

// workDeadline returns when an attempt that begins now has to end.
func (r *Resolver) workDeadline() time.Time {
	d := deadline.In(r.Settings.Timeout)
	if !r.Began.IsZero() {
		d.Began = r.Began
	}
	return d.Work()
}

// PullsAnonymously reports whether a client can go on without the token that couldn't be had:
// everybody may pull from the public registry. But a principal that was asked for by name and is
// misconfigured is an error.
func PullsAnonymously(target registrymap.Target, err error) bool {
	var why *failure.Failure
	return target.Registry.Public && errors.As(err, &why) &&
		(target.Principal == (registrymap.Principal{}) || why.Kind != failure.Misconfigured)
}

// RetryAfter is after what time it is worth while to ask again for what couldn't be had.
const RetryAfter = time.Minute

// UsableFor returns how long a client may use a token without asking for it again. One that is due
// for renewal may be used until the next attempt to renew it.
func UsableFor(t cache.Token, now time.Time) time.Duration {
	return min(max(t.FreshUntil.Sub(now), RetryAfter), t.Expires.Sub(now)).Truncate(time.Second)
}
