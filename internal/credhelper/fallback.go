package credhelper

import (
	"context"
	"errors"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// fallbackTime is what the fallback helper gets: it may have to ask a person.
const fallbackTime = time.Minute

// fallback answers a verb about a host that isn't ECR's: with what the fallback
// helper says or, if there is none, with what clients expect of a helper that
// knows nothing.
func (r *run) fallback(ctx context.Context, verb string, resolver *tokensource.Resolver) (response, error) {
	settings := resolver.Settings
	var broken *registrymap.Error
	switch {
	case errors.As(resolver.Err, &broken):
		return noCredentials(verb).withError(verb, resolver.Err), nil
	case settings.Fallback == "":
		return noCredentials(verb), nil
	case r.RunFallback == nil:
		return response{}, tokensource.ErrCacheMiss
	}
	r.watchdog.Extend(fallbackTime)
	ctx, cancel := context.WithTimeout(ctx, fallbackTime)
	defer cancel()
	output, err := r.RunFallback(ctx, r.Env, settings, verb, r.input)
	if err != nil {
		return noCredentials(verb).withError(verb, err), nil
	}
	resp := response{stdout: output.Stdout}
	if output.OK {
		return resp, nil
	}
	resp.status = 1
	if output.Stderr != "" {
		resp = resp.withStderr("%s%s: %s", config.HelperPrefix, settings.Fallback, output.Stderr)
	}
	return resp, nil
}

// noCredentials returns the response about a host that is unknown here.
func noCredentials(verb string) response {
	switch verb {
	case "get":
		return fail(notFound)
	case "store":
		return fail(name + ": keeps no credentials for hosts other than ECR; name a helper that does as the fallback (AWS_ECR_FALLBACK), " +
			"set credHelpers for those, or AWS_ECR_IGNORE_CREDS_STORAGE=true to ignore this")
	default:
		return response{} // there is nothing to erase
	}
}

// withError returns the response with the reason why it can't be known whether the host is known.
// What is to be stored or erased mustn't seem to be.
func (r response) withError(verb string, err error) response {
	if verb == "get" {
		return r.withStderr("%v", err)
	}
	return fail(name + ": " + err.Error())
}
