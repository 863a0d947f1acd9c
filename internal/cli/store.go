package cli

import (
	"context"
	"encoding/json"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registry"
)

// store keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts, so that "docker login" does.
func (p *Process) store(input string) answer {
	if config.IgnoresStorage(p.Env) {
		return answer{}
	}
	var given credentials
	if err := json.Unmarshal([]byte(input), &given); err != nil {
		return fail(name + `: store wants {"ServerURL", "Username", "Secret"} as JSON on stdin`)
	}
	if given.ServerURL == "" {
		return fail(noServer)
	}
	if _, isECR := registry.Parse(given.ServerURL); !isECR {
		return fail(name + ": keeps no credentials for hosts other than ECR; set credHelpers for those, or AWS_ECR_IGNORE_CREDS_STORAGE=true to ignore this")
	}
	return answer{}
}

// erase forgets the tokens that serve a host, so that a logout makes the next
// get ask AWS.
func (p *Process) erase(input string) answer {
	server := strings.TrimSpace(input)
	if config.IgnoresStorage(p.Env) {
		return answer{}
	}
	if server == "" {
		return fail(noServer)
	}
	r, isECR := registry.Parse(server)
	if !isECR {
		return answer{}
	}
	broker, err := p.broker()
	if err != nil {
		return failStore(p, input, err.Error())
	}
	broker.Forget(context.Background(), r)
	return answer{}
}

func failStore(_ *Process, _, reason string) answer { return fail(name + ": " + reason) }
