package credhelper

import (
	"context"
	"encoding/json"
	"strings"

	"docker-credential-ecr-login/internal/config"
)

// store keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts, so that "docker login" does.
func (r *run) store(ctx context.Context) (response, error) {
	if ignores, err := config.IgnoresStorage(r.Env); err != nil || ignores {
		return response{}, err
	}
	var credentials struct{ ServerURL, Username, Secret string }
	if err := json.Unmarshal([]byte(r.input), &credentials); err != nil {
		return fail(name + `: store wants {"ServerURL", "Username", "Secret"} as JSON on stdin`), nil
	}
	if credentials.ServerURL == "" {
		return fail(noServer), nil
	}
	resolver := r.load()
	if target, _ := resolver.Find(credentials.ServerURL); target.Host == "" {
		return r.fallback(ctx, "store", resolver)
	}
	return response{}, nil // even if the settings are wrong: nothing is stored
}

// erase forgets the tokens that serve a host, so that a logout makes the next
// get ask AWS.
func (r *run) erase(ctx context.Context) (response, error) {
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
	case target.Host == "":
		return r.fallback(ctx, "erase", resolver)
	case err == nil:
		source.Forget(ctx, target)
	}
	return response{}, err
}
