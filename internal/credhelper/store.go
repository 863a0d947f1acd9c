package credhelper

import (
	"context"
	"encoding/json"
	"strings"

	"docker-credential-ecr-login/internal/config"
)

// credentials are what store is given.
type credentials struct {
	ServerURL string
	Username  string
	Secret    string
}

// store keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts, so that "docker login" does.
func (p *Process) store(input string) response {
	if ignores, err := config.IgnoresStorage(p.Env); err != nil {
		return failStore(p, input, err.Error())
	} else if ignores {
		return response{}
	}
	var given credentials
	if err := json.Unmarshal([]byte(input), &given); err != nil {
		return fail(name + `: store wants {"ServerURL", "Username", "Secret"} as JSON on stdin`)
	}
	if given.ServerURL == "" {
		return fail(noServer)
	}
	settings, err := p.settings()
	if _, ours := settings.Map.Find(given.ServerURL); !ours {
		return p.fallback("store", input, settings, err)
	}
	return response{}
}

// erase forgets the tokens that serve a host, so that a logout makes the next
// get ask AWS.
func (p *Process) erase(input string) response {
	server := strings.TrimSpace(input)
	if ignores, err := config.IgnoresStorage(p.Env); err != nil {
		return failStore(p, input, err.Error())
	} else if ignores {
		return response{}
	}
	if server == "" {
		return fail(noServer)
	}
	settings, err := p.settings()
	target, ours := settings.Map.Find(server)
	switch {
	case !ours:
		return p.fallback("erase", input, settings, err)
	case err != nil:
		return failStore(p, input, err.Error())
	}
	broker, err := p.broker(settings)
	if err != nil {
		return response{miss: true}
	}
	broker.Forget(context.Background(), target)
	return response{}
}

func failStore(_ *Process, _, reason string) response { return fail(name + ": " + reason) }
