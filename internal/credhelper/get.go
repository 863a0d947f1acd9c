package credhelper

import (
	"context"
	"errors"
	"strings"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/tokensource"
)

// get answers with the credentials for a server. If there are none it says
// just that, since clients ask for every host they meet and drop all they have
// on any other text; the reason goes to stderr.
func (r *run) get() (response, error) {
	server := strings.TrimSpace(r.input)
	if server == "" {
		return fail(noServer), nil
	}
	resolver := r.load()
	target, source, err := resolver.Resolve(server)
	switch {
	case errors.Is(err, tokensource.ErrOtherHost):
		return r.fallback("get", resolver)
	case err != nil:
		return response{}, err
	}
	item, err := source.Token(context.Background(), target)
	switch {
	case err == nil:
		return say(`{"ServerURL":` + quote(server) + `,"Username":"AWS","Secret":` + quote(item.Password) + `}`), nil
	case tokensource.PullsAnonymously(target, err):
		return fail(notFound), nil
	case target.Registry.Public && !errors.Is(err, tokensource.ErrCacheMiss):
		return fail(notFound).withStderr("%s: %v", target.Host, err), nil
	default:
		return response{}, err
	}
}

// failGet returns the response that says why there are no credentials for a registry. The public one
// fails no client, as it needs none.
func (r *run) failGet(err error) response {
	server := strings.TrimSpace(r.input)
	host := registry.Bare(server)
	if address, ok := registry.ParseAddress(server); ok {
		host = address.Host
	}
	if parsed, _ := registry.Parse(server); r.failOnError.Load() && !parsed.Public {
		return fail(name + ": " + host + ": " + err.Error())
	}
	return fail(notFound).withStderr("%s: %v", host, err)
}
