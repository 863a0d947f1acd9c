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
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/sirupsen/logrus"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/logfile"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// Registry is an ECR registry as its host name describes it.
type Registry = registry.Registry

// ParseRegistry reads the registry that server names. It takes what container
// clients send: a scheme, a port, a path, any case. It is false for everything
// that isn't an ECR host.
func ParseRegistry(server string) (Registry, bool) { return registry.Parse(server) }

// ECRHelper implements [credentials.Helper]. It may be used by any number of
// goroutines at once. Use [NewECRHelper] to make one.
type ECRHelper struct {
	ctx     context.Context
	log     *logrus.Logger
	openLog sync.Once
}

var _ credentials.Helper = (*ECRHelper)(nil)

// Option sets something of an [ECRHelper].
type Option func(*ECRHelper)

// WithLogger writes a line for every decision to w. Without it there is a log
// only where the environment asks for one (AWS_ECR_LOG_LEVEL). The lines hold no
// secret.
func WithLogger(w io.Writer) Option {
	return func(h *ECRHelper) {
		h.log = logrus.New()
		h.log.SetOutput(w)
		h.log.SetLevel(logrus.DebugLevel)
	}
}

// WithContext ends what the helper does when ctx ends.
func WithContext(ctx context.Context) Option {
	return func(h *ECRHelper) { h.ctx = ctx }
}

// NewECRHelper returns a helper. The environment is read at every call, but for
// the log, which is opened at the first.
func NewECRHelper(options ...Option) *ECRHelper {
	h := &ECRHelper{ctx: context.Background()}
	for _, option := range options {
		option(h)
	}
	return h
}

// Get returns the user, which is "AWS", and the password for a registry or for
// what the registry map says stands for one. For other servers, and for the public
// registry where it can't be had, the error is
// credentials.NewErrCredentialsNotFound(); any other error tells the reason, and
// wraps a [cache.Failure] where a token was asked for.
func (h *ECRHelper) Get(serverURL string) (user, password string, err error) {
	broker, target, ours, err := h.find(serverURL)
	switch {
	case !ours:
		return "", "", credentials.NewErrCredentialsNotFound()
	case err != nil:
		return "", "", err
	}
	password, err = broker.Password(h.ctx, target)
	switch {
	case err == nil:
		return "AWS", password, nil
	case target.Registry.Public:
		return "", "", credentials.NewErrCredentialsNotFound()
	default:
		return "", "", fmt.Errorf("%s: %w", target.Host, err)
	}
}

// find returns what a server stands for, false for what isn't ECR's, and what gets
// its token. The error is that of the settings.
func (h *ECRHelper) find(serverURL string) (*tokensource.Source, registrymap.Target, bool, error) {
	env := config.Env(os.Environ())
	settings, err := config.Load(env, config.FindHome(env))
	target, ours := settings.Map.Find(serverURL)
	switch {
	case err != nil && ours:
		err = fmt.Errorf("%s: %w", target.Host, err)
	case err != nil:
		h.broker(settings, env).Log.Errorf("%v", err)
	case !ours:
		return nil, registrymap.Target{}, false, nil // no reason to open a log
	}
	return h.broker(settings, env), target, ours, err
}

// List returns the hosts there are credentials for, as "https://HOST", each with
// the user "AWS". It fails only where the environment or the registry map can't be
// used; what it had to leave out is in the log.
func (h *ECRHelper) List() (map[string]string, error) {
	env := config.Env(os.Environ())
	settings, err := config.Load(env, config.FindHome(env))
	if err != nil {
		return nil, err
	}
	broker := h.broker(settings, env)
	hosts, lacks := broker.List(h.ctx)
	for _, err := range lacks {
		broker.Log.Debugf("%v", err)
	}
	list := make(map[string]string, len(hosts))
	for _, host := range hosts {
		list["https://"+host] = "AWS"
	}
	return list, nil
}

// errNotECR is the answer to [ECRHelper.Add] for other hosts.
var errNotECR = errors.New("credentials are kept for no host other than ECR")

// Add keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts and what stands for them, and for others where
// AWS_ECR_IGNORE_CREDS_STORAGE is "true".
func (h *ECRHelper) Add(c *credentials.Credentials) error {
	if ignores, err := config.IgnoresStorage(os.Environ()); err != nil || ignores {
		return err
	}
	_, _, ours, err := h.find(c.ServerURL)
	switch {
	case ours:
		return nil
	case err != nil:
		return err
	default:
		return errNotECR
	}
}

// Delete forgets the tokens that serve the registry, so that the next Get asks
// AWS.
func (h *ECRHelper) Delete(serverURL string) error {
	if ignores, err := config.IgnoresStorage(os.Environ()); err != nil || ignores {
		return err
	}
	broker, target, ours, err := h.find(serverURL)
	if err == nil && ours {
		broker.Forget(h.ctx, target)
	}
	return err
}

func (h *ECRHelper) broker(settings config.Settings, env config.Env) *tokensource.Source {
	h.openLog.Do(func() {
		if h.log == nil && settings.LogFile != "" {
			// A log that can't be written is no reason to fail.
			h.log, _ = logfile.Open(settings.LogFile, settings.LogLevel)
		}
	})
	if h.log == nil {
		return tokensource.New(settings, env, awsapi.New(), nil)
	}
	return tokensource.New(settings, env, awsapi.New(), h.log)
}
