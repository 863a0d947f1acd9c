package credhelper

import (
	"context"
	"strings"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/tokensource"
)

// get answers with the credentials for a server. If there are none it says
// just that, since clients ask for every host they meet and drop all they have
// on any other text; the reason goes to stderr.
func (r *run) get(ctx context.Context) (response, error) {
	server := strings.TrimSpace(r.input)
	if server == "" {
		return fail(noServer), nil
	}
	resolver := r.load()
	target, source, err := resolver.Resolve(server)
	r.target.Store(&target)
	switch {
	case target.Host == "":
		return r.fallback(ctx, "get", resolver)
	case err != nil:
		return response{}, err
	}
	item, err := source.Token(ctx, target)
	switch {
	case err == nil:
		return say(`{"ServerURL":` + quote(server) + `,"Username":"AWS","Secret":` + quote(item.Password) + `}`), nil
	case tokensource.PullsAnonymously(target, err):
		return fail(notFound), nil
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
	parsed, _ := registry.Parse(server)
	if target := r.target.Load(); target != nil && target.Registry.Public { // an alias of it, too
		host, parsed = target.Host, target.Registry
	}
	if r.failOnError.Load() && !parsed.Public {
		return fail(name + ": " + host + ": " + err.Error())
	}
	return fail(notFound).withStderr("%s: %v", host, err)
}
