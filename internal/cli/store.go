package cli

import (
	"context"
	"encoding/json"
	"io"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registry"
)

// store keeps nothing: ECR's tokens are got, not stored. It succeeds for ECR
// hosts, so that "docker login" does.
func (p *Process) store() int {
	text, _ := io.ReadAll(io.LimitReader(p.Stdin, maxInput))
	if config.IgnoresStorage(p.Env) {
		return 0
	}
	var given credentials
	if err := json.Unmarshal(text, &given); err != nil {
		p.say(name + ": store wants {\"ServerURL\", \"Username\", \"Secret\"} as JSON on stdin")
		return 1
	}
	if given.ServerURL == "" {
		p.say(noServer)
		return 1
	}
	if _, isECR := registry.Parse(given.ServerURL); !isECR {
		p.say(name + ": keeps no credentials for hosts other than ECR; set credHelpers for those, or AWS_ECR_IGNORE_CREDS_STORAGE=true to ignore this")
		return 1
	}
	return 0
}

// erase forgets the tokens that serve the host.
func (p *Process) erase() int {
	server, r, isECR := p.server()
	if config.IgnoresStorage(p.Env) {
		return 0
	}
	if server == "" {
		p.say(noServer)
		return 1
	}
	if !isECR {
		return 0
	}
	broker, err := p.broker()
	if err != nil {
		p.say(name + ": " + err.Error())
		return 1
	}
	broker.Forget(context.Background(), r)
	return 0
}
