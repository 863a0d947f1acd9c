package credhelper

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// get answers with the credentials for a server. Where there are none it says
// just that, since clients ask for every host they meet and drop all they have
// on any other text; the reason goes to stderr.
func (p *Process) get(input string) response {
	server := strings.TrimSpace(input)
	if server == "" {
		return fail(noServer)
	}
	settings, err := p.settings()
	target, ours := settings.Map.Find(server)
	switch {
	case !ours:
		return p.fallback("get", input, settings, err)
	case err != nil:
		return p.failGet(server, err.Error())
	}
	broker, err := p.broker(settings)
	if err != nil {
		return response{miss: true}
	}
	password, err := broker.Password(context.Background(), target)
	switch {
	case err == nil:
		return say(`{"ServerURL":` + quote(server) + `,"Username":"AWS","Secret":` + quote(password) + `}`)
	case errors.Is(err, tokensource.ErrCacheMiss):
		return response{miss: true}
	case pullsAnonymously(target, err):
		return fail(notFound)
	case target.Registry.Public:
		return fail(notFound).withStderr("%s: %v", target.Host, err)
	default:
		return p.failGet(server, err.Error())
	}
}

// failGet tells why there are no credentials for a registry. The public one fails
// no client, as it needs none.
func (p *Process) failGet(server, reason string) response {
	host := registry.Bare(server)
	if address, ok := registry.ParseAddress(server); ok {
		host = address.Host
	}
	if r, _ := registry.Parse(server); p.failOnError.Load() && !r.Public {
		return fail(name + ": " + host + ": " + reason)
	}
	return fail(notFound).withStderr("%s: %s", host, reason)
}

// pullsAnonymously tells whether a failure is none for the client: everybody may pull from the
// public registry. But what is wrong with a principal that was asked for by name is told.
func pullsAnonymously(target registrymap.Target, err error) bool {
	var failure *cache.Failure
	isMistake := errors.As(err, &failure) && failure.Kind == cache.Misconfigured
	return target.Registry.Public && (target.Principal == (registrymap.Principal{}) || !isMistake)
}

// quote writes a string as JSON. What has nothing to be escaped, as almost all has
// that is printed here, is spared encoding/json, whose first use takes longer than
// all else a warm get prints.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return `"` + s + `"`
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // a string can be written
	}
	return strings.TrimSuffix(text.String(), "\n")
}
