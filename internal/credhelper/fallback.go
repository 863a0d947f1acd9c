package credhelper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
)

// Said is what the fallback helper said.
type Output struct {
	Stdout, Stderr string
	// OK is set where its exit status was 0.
	OK bool
}

// fallbackTime is what the fallback helper gets: it may have to ask a person. A list
// needs none, and is over in the time that all others have.
const fallbackTime = time.Minute

// others answers a verb about a host that isn't ECR's: with what the fallback
// helper says or, where there is none, with what clients expect of a helper that
// knows nothing. The error is that of the settings.
func (p *Process) fallback(verb, input string, settings config.Settings, err error) response {
	var broken *registrymap.Error
	switch {
	case errors.As(err, &broken):
		return unknown(verb).withError(verb, err)
	case settings.Fallback == "":
		return unknown(verb)
	case settings.FallbackErr != nil:
		return unknown(verb).withError(verb, settings.FallbackErr)
	case p.Fallback == nil:
		return response{miss: true}
	}
	p.watchdog.extend(fallbackTime)
	said, err := p.askFallback(fallbackTime, verb, input, settings)
	if err != nil {
		return unknown(verb).withError(verb, err)
	}
	a := response{stdout: said.Stdout}
	if said.OK {
		return a
	}
	a.status = 1
	if said.Stderr != "" {
		a = a.withStderr("%s%s: %s", config.HelperPrefix, settings.Fallback, said.Stderr)
	}
	return a
}

func (p *Process) askFallback(timeout time.Duration, verb, input string, settings config.Settings) (Output, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	said, err := p.Fallback(ctx, settings.Fallback, verb, input)
	if err != nil {
		err = fmt.Errorf("%s: %w", settings.FallbackFrom, err)
	}
	return said, err
}

// unknown is the answer about a host that nobody here knows.
func unknown(verb string) response {
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

// because tells why it can't be known whether anybody here knows. What is to be
// stored or erased mustn't seem to be.
func (a response) withError(verb string, err error) response {
	if verb == "get" {
		return a.withStderr("%v", err)
	}
	return fail(name + ": " + err.Error())
}

// listOthers returns what the fallback helper lists, apart from hosts that are not
// its business.
func (p *Process) listOthers(settings config.Settings) (hosts map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v; please report it", r)
		}
	}()
	hosts, err = p.ListFallback(settings)
	for server := range hosts {
		if _, ours := settings.Map.Find(server); ours {
			delete(hosts, server)
		}
	}
	return hosts, err
}

// ListFallback returns the servers that the fallback helper has credentials for, and their users;
// none without a fallback. The error says why the helper can't be used.
func (p *Process) ListFallback(settings config.Settings) (hosts map[string]string, err error) {
	switch {
	case settings.FallbackErr != nil:
		return nil, settings.FallbackErr
	case settings.Fallback == "":
		return nil, nil
	}
	said, err := p.askFallback(settings.Timeout-settings.Timeout/20, "list", "unused", settings)
	if err != nil {
		return nil, err
	}
	if !said.OK {
		return nil, fmt.Errorf("%s%s lists nothing: %s", config.HelperPrefix, settings.Fallback, said.Stderr)
	}
	if err := json.Unmarshal([]byte(said.Stdout), &hosts); err != nil {
		return nil, fmt.Errorf("%s%s lists something else than servers and users", config.HelperPrefix, settings.Fallback)
	}
	return hosts, nil
}
