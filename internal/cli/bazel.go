package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/token"
)

// bazel answers what Bazel asks with the same verb, {"uri": URL} on stdin, with the headers
// that its requests to a registry need. See
// https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md.
func (p *Process) bazel(input string) answer {
	var asked struct{ URI string }
	if err := json.Unmarshal([]byte(input), &asked); err != nil || asked.URI == "" {
		return fail(notFound) // the protocol of another client
	}
	uri, _, _ := strings.Cut(asked.URI, "?") // which may hold what is like another URL
	settings, err := p.settings()
	target, ours := settings.Map.Find(uri)
	switch {
	case !ours:
		address, _ := registry.ParseAddress(uri)
		return answer{status: 1}.explained("%q is neither a registry of ECR nor an alias in the registry map; let Bazel's --credential_helper name the hosts that are", address.Host)
	case err != nil:
		return answer{status: 1}.explained("%s: %v", target.Host, err)
	}
	broker, err := p.broker(settings)
	if err != nil {
		return answer{cold: true}
	}
	item, err := broker.Token(context.Background(), target)
	switch {
	case errors.Is(err, token.ErrCold):
		return answer{cold: true}
	case err != nil:
		return answer{status: 1}.explained("%s: %v", target.Host, err)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("AWS:"+item.Password))
	until := time.Now().Add(servable(item.Token, time.Now())).UTC().Format(time.RFC3339)
	return say(`{"headers":{"Authorization":[` + quote(basic) + `]},"expires":` + quote(until) + `}`)
}
