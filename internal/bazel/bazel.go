// Package bazel answers Bazel, which asks for the headers of its requests to a registry:
// https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md
//
// It is on the path of a warm answer and imports nothing of the AWS SDK.
package bazel

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/tokensource"
)

// Timeout is how long an answer may take. Bazel kills the helper after 10 s, unless it was told
// otherwise (--credential_helper_timeout, https://bazel.build/reference/command-line-reference).
const Timeout = 8500 * time.Millisecond

// IsRequest reports whether the input of the verb get is Bazel's, or of a client that is unknown
// here.
func IsRequest(input string) bool { return strings.HasPrefix(strings.TrimSpace(input), "{") }

// ErrUnknownClient is the error for JSON that isn't Bazel's request.
var ErrUnknownClient = errors.New("not a request of Bazel")

// response is what Bazel reads.
type response struct {
	Headers map[string][]string `json:"headers"`
	Expires string              `json:"expires,omitempty"`
}

const httpsPort = "443"

// Respond returns the response to a request, {"uri": URL}, as JSON. The error says why there is none.
func Respond(ctx context.Context, input string, resolver *tokensource.Resolver) (string, error) {
	var request struct{ URI string }
	if err := json.Unmarshal([]byte(input), &request); err != nil || request.URI == "" {
		return "", ErrUnknownClient
	}
	address, err := addressOf(request.URI)
	if err != nil {
		return "", err
	}
	port := cmp.Or(address.Port, httpsPort)
	target, source, err := resolver.Resolve(address.Host + ":" + port)
	switch {
	case err == tokensource.ErrOtherHost:
		return "", fmt.Errorf("%q is neither a registry of ECR nor an alias in the registry map; let Bazel's --credential_helper name the hosts that are", address.Host)
	case err != nil:
		// Even for another host: it may be an alias in a map that can't be read.
		return "", fmt.Errorf("%s: %w", address.Host, err)
	case address.Host == target.Registry.Host() && port != httpsPort:
		return "", fmt.Errorf("%s: on port %s there is somebody else, who would get the token", address.Host, port)
	}
	item, err := source.Token(ctx, target)
	switch {
	case tokensource.PullsAnonymously(target, err):
		return marshal(response{Headers: map[string][]string{}})
	case err != nil:
		return "", fmt.Errorf("%s: %w", target.Host, err)
	}
	scheme := "Basic"
	if target.Registry.Public {
		// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html#public-registry-auth-http
		scheme = "Bearer"
	}
	now := time.Now()
	return marshal(response{
		Headers: map[string][]string{"Authorization": {scheme + " " + base64.StdEncoding.EncodeToString([]byte("AWS:"+item.Password))}},
		Expires: now.Add(tokensource.UsableFor(item.Token, now)).UTC().Format(time.RFC3339),
	})
}

func marshal(r response) (string, error) {
	text, err := json.Marshal(r)
	return string(text), err
}

// addressOf returns the address of a URI. The error says why nobody there may get a token, which
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
