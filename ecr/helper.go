// Package ecr gives container clients written in Go the credentials for Amazon
// ECR: an [ECRHelper] is a helper of docker-credential-helpers that needs no
// other process.
//
// It gets a token with the credentials that the AWS SDK's own chain finds in the
// environment and the shared configuration, roles of other accounts included,
// and keeps it on disk under ~/.ecr, where the command
// docker-credential-ecr-login finds it too.
package ecr

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/sirupsen/logrus"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/home"
	"docker-credential-ecr-login/internal/logfile"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// Registry is an ECR registry as its host name describes it.
type Registry = registry.Registry

// ParseRegistry returns the registry that a server names. It takes what container
// clients send: a scheme, a port, a path, any case. It is false for everything
// that isn't an ECR host.
func ParseRegistry(server string) (Registry, bool) { return registry.Parse(server) }

// ECRHelper is a [credentials.Helper]. Its zero value works, and it may be used by any number of
// goroutines at once. The environment is read at every call, but for the log, which is opened at the
// first.
type ECRHelper struct {
	ctx     context.Context // nil for none
	log     *logrus.Logger  // the caller's, nil for none
	openLog sync.Once
	opened  *logrus.Logger // that of the environment
	openErr error
}

var _ credentials.Helper = (*ECRHelper)(nil)

// Option sets something of an [ECRHelper].
type Option func(*ECRHelper)

// WithLogger has the helper write a line for every decision to w. Without it there is a log
// only if the environment asks for one (AWS_ECR_LOG_LEVEL). The lines hold no
// secret.
func WithLogger(w io.Writer) Option {
	return func(h *ECRHelper) {
		h.log = logrus.New()
		h.log.SetOutput(w)
		h.log.SetLevel(logrus.DebugLevel)
	}
}

// WithContext has the methods that take no context end when ctx ends.
func WithContext(ctx context.Context) Option {
	return func(h *ECRHelper) { h.ctx = ctx }
}

// NewECRHelper returns a helper with options.
func NewECRHelper(options ...Option) *ECRHelper {
	h := new(ECRHelper)
	for _, option := range options {
		option(h)
	}
	return h
}

// Token is what opens a registry.
type Token struct {
	// Username is "AWS".
	Username, Password string
	// ExpiresAt is when the registry stops to take it, on the local clock: within twelve hours. It may
	// be renewed long before.
	ExpiresAt time.Time
}

// Token returns a token for a registry, or for an alias in the registry map, from the cache or from
// AWS. For other servers the error wraps credentials.NewErrCredentialsNotFound(); any other error is
// an [*Error].
func (h *ECRHelper) Token(ctx context.Context, serverURL string) (Token, error) {
	token, target, err := h.token(ctx, serverURL)
	return token, translated(target, err)
}

// Get returns the user, which is "AWS", and the password: those of [ECRHelper.Token]. For other
// servers, and for the public registry if it can't be had, the error wraps
// credentials.NewErrCredentialsNotFound(): images of the public one can be pulled without. If
// something is wrong with the settings or with a principal that they name, it also wraps an [*Error].
func (h *ECRHelper) Get(serverURL string) (user, password string, err error) {
	token, target, err := h.token(h.context(), serverURL)
	switch {
	case tokensource.PullsAnonymously(target, err):
		err = credentials.NewErrCredentialsNotFound()
	case err != nil && target.Registry.Public:
		err = notFound(newError(target.Host, err))
	default:
		err = translated(target, err)
	}
	return token.Username, token.Password, err
}

func (h *ECRHelper) token(ctx context.Context, serverURL string) (Token, registrymap.Target, error) {
	resolver := h.load()
	target, source, err := resolver.Resolve(serverURL)
	if err != nil {
		if err != tokensource.ErrOtherHost && h.log != nil {
			h.log.Errorf("%v", err)
		}
		return Token{}, target, err
	}
	item, err := source.Token(ctx, target)
	if err != nil {
		return Token{}, target, errors.Join(err, ctx.Err())
	}
	return Token{"AWS", item.Password, item.Expires}, target, nil
}

// List returns the hosts there are credentials for, as "https://HOST", each with
// the user "AWS". It fails only if the environment or the registry map can't be
// used; what it had to omit is in the log.
func (h *ECRHelper) List() (map[string]string, error) {
	resolver := h.load()
	if resolver.Err != nil {
		return nil, newError("", resolver.Err)
	}
	source, err := resolver.Source()
	if err != nil {
		return nil, err
	}
	hosts, omitted, err := source.List(h.context())
	for _, err := range omitted {
		source.Log.Debugf("%v", err)
	}
	list := make(map[string]string, len(hosts))
	for _, host := range hosts {
		list["https://"+host] = "AWS"
	}
	return list, err
}

// errNotECR is the answer to [ECRHelper.Add] for other hosts.
var errNotECR = errors.New("credentials are kept for no host other than ECR")

// Add keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts and their aliases, and for others if AWS_ECR_IGNORE_CREDS_STORAGE is "true".
func (h *ECRHelper) Add(c *credentials.Credentials) error {
	if isDone, err := ignoresStorage(); isDone {
		return err
	}
	target, err := h.load().Find(c.ServerURL)
	switch {
	case target.Host != "":
		return nil // even if the settings are wrong: nothing is stored
	case err != tokensource.ErrOtherHost:
		return newError("", err)
	default:
		return newError(registry.Bare(c.ServerURL), errNotECR)
	}
}

// Delete forgets the tokens that serve the registry, so that the next Get asks
// AWS.
func (h *ECRHelper) Delete(serverURL string) error {
	if isDone, err := ignoresStorage(); isDone {
		return err
	}
	target, source, err := h.load().Resolve(serverURL)
	switch {
	case err == nil:
		source.Forget(h.context(), target)
		return nil
	case err == tokensource.ErrOtherHost:
		return nil
	default:
		return newError(target.Host, err)
	}
}

// ignoresStorage reports whether the environment says that there is nothing to store or to forget, or
// says nothing that can be understood.
func ignoresStorage() (isDone bool, err error) {
	ignores, wrong := config.IgnoresStorage(os.Environ())
	if wrong != nil {
		return true, newError("", wrong)
	}
	return ignores, nil
}

func (h *ECRHelper) context() context.Context {
	if h.ctx == nil {
		return context.Background()
	}
	return h.ctx
}

// load returns a resolver with the settings of the environment as it is now.
func (h *ECRHelper) load() *tokensource.Resolver {
	env := config.Env(os.Environ())
	resolver := tokensource.Load(env, home.Find(env))
	resolver.Fetch = awsapi.New()
	resolver.OpenLog = func(file, level string) (tokensource.Logger, error) {
		h.openLog.Do(func() { h.opened, h.openErr = logfile.Open(file, level) })
		return h.opened, h.openErr
	}
	if h.log != nil {
		resolver.Log = h.log
	}
	return resolver
}
