package cli

import (
	"context"
	"encoding/json"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registry"
)

// credentials are what get answers and store is given.
type credentials struct {
	ServerURL string
	Username  string
	Secret    string
}

// get answers with the credentials for a server. Where there are none it says
// just that, since clients ask for every host they meet and drop all they have
// on any other text; the reason goes to stderr.
func (p *Process) get(input string) answer {
	server := strings.TrimSpace(input)
	if server == "" {
		return fail(noServer)
	}
	r, isECR := registry.Parse(server)
	if !isECR {
		return fail(notFound)
	}
	broker, err := p.broker()
	if err != nil {
		return p.failGet(server, err.Error())
	}
	password, err := broker.Password(context.Background(), r)
	if err != nil {
		return p.failGet(server, err.Error())
	}
	return say(encode(credentials{server, "AWS", password}))
}

// failGet tells why there are no credentials for an ECR host. The public registry
// needs none: everybody may pull from it.
func (p *Process) failGet(server, reason string) answer {
	r, _ := registry.Parse(server)
	switch {
	case r.Public:
		return fail(notFound)
	case config.FailsLoudly(p.Env):
		return fail(name + ": " + r.Host() + ": " + reason)
	default:
		return fail(notFound).explained("%s: %s", r.Host(), reason)
	}
}

// encode writes a value of this package's as JSON, which can't fail.
func encode(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
