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
func (p *Process) store(input string) answer {
	if ignores, err := config.IgnoresStorage(p.Env); err != nil {
		return failStore(p, input, err.Error())
	} else if ignores {
		return answer{}
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
		return p.others("store", input, settings, err)
	}
	return answer{}
}

// erase forgets the tokens that serve a host, so that a logout makes the next
// get ask AWS.
func (p *Process) erase(input string) answer {
	server := strings.TrimSpace(input)
	if ignores, err := config.IgnoresStorage(p.Env); err != nil {
		return failStore(p, input, err.Error())
	} else if ignores {
		return answer{}
	}
	if server == "" {
		return fail(noServer)
	}
	settings, err := p.settings()
	target, ours := settings.Map.Find(server)
	switch {
	case !ours:
		return p.others("erase", input, settings, err)
	case err != nil:
		return failStore(p, input, err.Error())
	}
	broker, err := p.broker(settings)
	if err != nil {
		return answer{cold: true}
	}
	broker.Forget(context.Background(), target)
	return answer{}
}

func failStore(_ *Process, _, reason string) answer { return fail(name + ": " + reason) }
