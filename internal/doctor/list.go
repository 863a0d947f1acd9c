package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// list reports whether clients that ask for a list first find the host in it, and why. GitLab
// Runner and Docker's classic builder do, if they call this helper for all hosts (credsStore).
func (d *diagnosis) list(context.Context) Finding {
	m := &d.Settings.Map
	host, r := d.target.Host, d.target.Registry
	asksAWS := m.IsEmpty() // each list, for the own registry and public ECR
	const who = "clients that ask for a list first (GitLab Runner and Docker's classic builder, with credsStore)"
	switch {
	case d.blocked && (r == (registry.Registry{}) || asksAWS && !r.Public):
		return skipped // AWS would have to name the own registry
	case r == (registry.Registry{}):
		return Finding{}
	case slices.Contains(m.Hosts(), host):
		return ok("a list names %s: it is in the registry map", host)
	case r.Public && asksAWS:
		return ok("a list names %s whenever that gives a token", host)
	case asksAWS && d.response.Default && d.target.Principal == m.Own().Principal:
		return ok("a list names %s: it is the own registry of these credentials", host)
	}
	id := identity.Read(d.Env, d.Settings.Home, d.target.Principal)
	known := cache.New(d.Settings.CacheDir).Known(id.Key)
	why := "a list doesn't name " + host
	switch isKnown := slices.Contains(known, tokensource.KeyOf(id.Key, r)); {
	case isKnown && r.Public:
		why = fmt.Sprintf("a list names %s only while there is a token in the cache", host)
	case isKnown:
		why = fmt.Sprintf("a list names %s only until 30 days after its last token", host)
	}
	if len(d.listClients) == 0 {
		return ok("%s; only %s need that, and none is configured here", why, who)
	}
	f := warn("name it in the registry map, "+d.mapFile()+":", "%s; %s has %s", why, strings.Join(d.listClients, " and "), who)
	f.Paste = mapEntry(host, d.target)
	if asksAWS {
		// With an entry a list asks AWS no longer.
		f.Notes = []string{"with an entry in the map a list names only what is in the map and in the cache, so name your own registry and public ECR, too"}
		own := registry.Registry{Account: d.caller.Account, Region: d.probe.ConfiguredRegion()}
		if parsed, isECR := registry.Parse(own.Host()); !isECR || parsed != own {
			f.Paste = append(f.Paste, "# and your own registry")
		} else if own.Host() != host {
			f.Paste = append(f.Paste, mapEntry(own.Host(), d.target)...)
		}
		f.Paste = append(f.Paste, "[[registry]]", `host = "public.ecr.aws"`)
	}
	return f
}

// mapFile returns the path of the registry map or, if there is none, the first path it is looked
// for at.
func (d *diagnosis) mapFile() string {
	file := "/etc/ecr-login/config.toml"
	if d.Settings.Home != "" {
		file = d.Settings.Home + "/.ecr/config.toml"
	}
	return cmp.Or(d.Settings.Map.File(), d.Env.Get("AWS_ECR_CONFIG"), file)
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
