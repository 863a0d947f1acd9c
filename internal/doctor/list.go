package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// list tells whether clients that ask for a list first find the host in it, and why. GitLab Runner
// and Docker's classic builder do, if they call this helper for all hosts (credsStore).
func (v *visit) list(context.Context) {
	m := &v.Settings.Map
	host, r := v.target.Host, v.target.Registry
	asksAWS := m.IsEmpty() // each list, for the own registry and public ECR
	const who = "clients that ask for a list first (GitLab Runner and Docker's classic builder, with credsStore)"
	switch {
	case r == (registry.Registry{}), v.bad && asksAWS && !r.Public:
		v.isOut() // AWS would have to name the own registry
		return
	case slices.Contains(m.Hosts(), host):
		v.ok("a list names %s: it is in the registry map", host)
		return
	case r.Public && asksAWS:
		v.ok("a list names %s whenever that gives a token", host)
		return
	case asksAWS && v.answer.Default && v.target.Principal == m.Own().Principal:
		v.ok("a list names %s: it is the own registry of these credentials", host)
		return
	}
	why := "a list doesn't name " + host
	switch isKnown := v.isKnown(); {
	case isKnown && r.Public:
		why = fmt.Sprintf("a list names %s only while there is a token in the cache", host)
	case isKnown:
		why = fmt.Sprintf("a list names %s only until 30 days after its last token", host)
	}
	if len(v.listClients) == 0 {
		v.ok("%s; only %s need that, and none is configured here", why, who)
		return
	}
	f := Finding{
		State: Warning,
		Found: fmt.Sprintf("%s; %s has %s", why, strings.Join(v.listClients, " and "), who),
		Fix:   "name it in the registry map, " + v.mapFile() + ":",
		Paste: mapEntry(host, v.target),
	}
	if asksAWS {
		// With an entry a list asks AWS no longer.
		f.Notes = []string{"with an entry in the map a list names only what is in the map and in the cache, so name your own registry and public ECR, too"}
		own := registry.Registry{Account: v.caller.Account, Region: v.exam.ConfiguredRegion()}
		if parsed, ok := registry.Parse(own.Host()); !ok || parsed != own {
			f.Paste = append(f.Paste, "# and your own registry")
		} else if own.Host() != host {
			f.Paste = append(f.Paste, mapEntry(own.Host(), v.target)...)
		}
		f.Paste = append(f.Paste, "[[registry]]", `host = "public.ecr.aws"`)
	}
	v.found(f)
}

// isKnown reports whether the cache knows the target's registry.
func (v *visit) isKnown() bool {
	id, r := identity.Read(v.Env, v.Settings.Home, v.target.Principal), v.target.Registry
	return slices.ContainsFunc(cache.New(v.Settings.CacheDir).Known(id.Key), func(key cache.Key) bool {
		return key.Registry == r.ID() && key.Region == r.TokenRegion() && key.EndpointVariant == r.EndpointVariant()
	})
}

// mapFile is where the registry map is, or where it is looked for first.
func (v *visit) mapFile() string {
	switch named := v.Env.Get("AWS_ECR_CONFIG"); {
	case v.Settings.Map.File() != "":
		return v.Settings.Map.File()
	case named != "":
		return named
	case v.Settings.Home != "":
		return v.Settings.Home + "/.ecr/config.toml"
	default:
		return "/etc/ecr-login/config.toml"
	}
}

// mapEntry returns the lines that name a host in the registry map, with the principal that a target
// has without them.
func mapEntry(host string, t registrymap.Target) []string {
	lines := []string{"[[registry]]", fmt.Sprintf("host = %q", host)}
	switch t.Where {
	case "":
	case registrymap.RoleVariable:
		lines = append(lines, fmt.Sprintf("role_arn = %q", t.Principal.RoleARN))
	default: // an entry, with a pattern for a host
		lines = append(lines, "# and the other lines of "+t.Where)
	}
	return lines
}
