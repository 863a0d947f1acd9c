package doctor

import (
	"context"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/fallback"
	"docker-credential-ecr-login/internal/registry"
)

// isForFallback reports whether the host isn't ECR's, and there is a fallback helper for it.
func (v *visit) isForFallback() bool {
	return v.image.host != "" && v.target.Host == "" && !v.bad && v.Settings.Fallback != ""
}

// fallback tells what the fallback helper has for a host that isn't ECR's. It is the last step for
// such a host. The helper is asked for its list only: a get may ask a person for a passphrase.
func (v *visit) fallback(ctx context.Context) {
	if !v.isForFallback() {
		return
	}
	v.done = true
	name := config.HelperPrefix + v.Settings.Fallback
	servers, err := fallback.List(ctx, v.Env, v.Settings)
	if err != nil {
		v.fail("fix it, or name another helper", "%v", err)
		return
	}
	for server := range servers {
		if address, ok := registry.ParseAddress(server); ok && slices.Contains(namesOf(v.image.host), address.HostPort()) {
			v.ok("%s has credentials for %s", name, registry.Bare(server))
			return
		}
	}
	login := "docker login " + v.image.host
	if slices.Contains(dockerHub, v.image.host) {
		login = "docker login"
	}
	v.warn("run: "+login, "%s has no credentials for %s", name, v.image.host)
}

// hubKey is the name that clients keep its credentials under:
// https://docs.docker.com/reference/cli/docker/login/
const hubKey = "https://index.docker.io/v1/"

// dockerHub are the names of Docker Hub.
var dockerHub = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}

// namesOf are the names that a host has in a list.
func namesOf(host string) []string {
	if slices.Contains(dockerHub, host) {
		return dockerHub
	}
	return []string{strings.ToLower(host)}
}
