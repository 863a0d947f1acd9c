package credhelper

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/tokensource"
)

// store keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts, so that "docker login" does.
func (r *run) store() (response, error) {
	if ignores, err := config.IgnoresStorage(r.Env); err != nil || ignores {
		return response{}, err
	}
	var given struct{ ServerURL, Username, Secret string }
	if err := json.Unmarshal([]byte(r.input), &given); err != nil {
		return fail(name + `: store wants {"ServerURL", "Username", "Secret"} as JSON on stdin`), nil
	}
	if given.ServerURL == "" {
		return fail(noServer), nil
	}
	resolver := r.load()
	if _, err := resolver.Find(given.ServerURL); errors.Is(err, tokensource.ErrOtherHost) {
		return r.fallback("store", resolver)
	}
	return response{}, nil // even if the settings are wrong: nothing is stored
}

// erase forgets the tokens that serve a host, so that a logout makes the next
// get ask AWS.
func (r *run) erase() (response, error) {
	server := strings.TrimSpace(r.input)
	if ignores, err := config.IgnoresStorage(r.Env); err != nil || ignores {
		return response{}, err
	}
	if server == "" {
		return fail(noServer), nil
	}
	resolver := r.load()
	target, source, err := resolver.Resolve(server)
	switch {
	case errors.Is(err, tokensource.ErrOtherHost):
		return r.fallback("erase", resolver)
	case err == nil:
		source.Forget(context.Background(), target)
	}
	return response{}, err
}
