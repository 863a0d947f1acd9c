package credhelper

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/tokensource"
)

// bazelPatience is how long Bazel waits, unless it was told otherwise; then it kills the helper
// (--credential_helper_timeout, https://bazel.build/reference/command-line-reference).
const bazelPatience = 10 * time.Second

// bazelVerb is what get is to Bazel.
func bazelVerb() verb {
	return verb{run: (*Process).bazel, reads: true, fail: failOnStderr, clientTimeout: bazelPatience - grace - time.Second/2}
}

// asksAsBazel tells whether what came on stdin is Bazel's, or of a client that is unknown here.
func asksAsBazel(input string) bool { return strings.HasPrefix(strings.TrimSpace(input), "{") }

// bazel answers what Bazel asks with the same verb, {"uri": URL} on stdin, with the headers
// that its requests to a registry need. See
// https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md.
func (p *Process) bazel(input string) response {
	var asked struct{ URI string }
	if err := json.Unmarshal([]byte(input), &asked); err != nil || asked.URI == "" {
		return fail(notFound) // the protocol of another client
	}
	address, err := addressOf(asked.URI)
	if err != nil {
		return refuse("%v", err)
	}
	settings, err := p.settings()
	ctx, cancel := p.context()
	defer cancel()
	const https = "443"
	port := cmp.Or(address.Port, https)
	target, ours := settings.Map.Find(address.Host + ":" + port)
	switch {
	case err != nil:
		// Even for what isn't ECR's: it may be an alias in a map that can't be read.
		return refuse("%s: %v", address.Host, err)
	case !ours:
		return refuse("%q is neither a registry of ECR nor an alias in the registry map; let Bazel's --credential_helper name the hosts that are", address.Host)
	case address.Host == target.Registry.Host() && port != https:
		return refuse("%s: on port %s there is somebody else, who would get the token", address.Host, port)
	}
	broker, err := p.broker(settings)
	if err != nil {
		return response{miss: true}
	}
	item, err := broker.Token(ctx, target)
	switch {
	case errors.Is(err, tokensource.ErrCacheMiss):
		return response{miss: true}
	case err != nil && pullsAnonymously(target, err):
		return say(`{"headers":{}}`)
	case err != nil:
		return refuse("%s: %v", target.Host, err)
	}
	scheme := "Basic"
	if target.Registry.Public {
		// Which takes it so:
		// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html#public-registry-auth-http
		scheme = "Bearer"
	}
	authorization := scheme + " " + base64.StdEncoding.EncodeToString([]byte("AWS:"+item.Password))
	now := time.Now()
	until := now.Add(servable(item.Token, now)).UTC().Format(time.RFC3339)
	return say(`{"headers":{"Authorization":[` + quote(authorization) + `]},"expires":` + quote(until) + `}`)
}

// addressOf returns the address of a URI. The error tells why nobody there may get a token, which
// Bazel would send to them as it is.
func addressOf(uri string) (registry.Address, error) {
	scheme, rest, hasScheme := strings.Cut(uri, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	address, ok := registry.ParseAddress(authority[at+1:])
	switch {
	case !hasScheme || !ok:
		return registry.Address{}, errors.New(`stdin holds no URI of a server, which is "https://", a host and a path`)
	case !strings.EqualFold(scheme, "https"):
		return address, fmt.Errorf("%s: it isn't asked for over https, and elsewhere the token could be read on the way", address.Host)
	case at >= 0:
		return address, fmt.Errorf("%s: the URI names a user, which goes before any token; leave it out", address.Host)
	}
	return address, nil
}
