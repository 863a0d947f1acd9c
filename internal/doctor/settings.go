package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// registryMap reports what the registry map says of the host.
func (d *diagnosis) registryMap(context.Context) Finding {
	if d.Err != nil {
		return fail("mend it", "%v", d.Err)
	}
	m := &d.Settings.Map
	summary := "there is no registry map"
	if m.File() != "" {
		summary = fmt.Sprintf("the registry map %s names %d hosts and %d patterns", m.File(), len(m.Hosts()), len(m.Patterns()))
	}
	if d.image.host == "" {
		d.target = m.Own()
		return ok("%s; without a HOST the registry of your own account is looked at", summary)
	}
	target, isKnown := m.Find(d.Image)
	if !isKnown {
		return d.unknownHost(registry.Hint(d.Image))
	}
	d.target, d.image.host = target, target.Host
	switch {
	case target.Refusal != nil:
		return fail("mend it", "%v", target.Refusal)
	case target.Where == "":
		return ok("%s; no entry matches %s, so the AWS SDK's own chain decides", summary, target.Host)
	}
	return ok("%s decides for %s: %s", target.Where, target.Host, describe(target.Principal))
}

// unknownHost returns the finding about a host that isn't ECR's.
func (d *diagnosis) unknownHost(hint string) Finding {
	host, fallback := d.image.host, d.Settings.Fallback
	if fallback == "" {
		return fail(cmp.Or(hint, "check the name; a host of your own in front of ECR needs an entry with alias_of in the registry map, and another registry a fallback helper (AWS_ECR_FALLBACK)"),
			"%s is neither a registry of ECR nor an alias in the map, so this helper has nothing for it", host)
	}
	f := ok("%s is neither a registry of ECR nor an alias in the map; the fallback docker-credential-%s (%s) is asked for it", host, fallback, d.Settings.FallbackFrom)
	if hint != "" {
		f.State, f.Fix = Warning, hint
	}
	return f
}

// describe returns the principal of an entry in words.
func describe(p registrymap.Principal) string {
	var words []string
	add := func(what, value string) {
		if value != "" {
			words = append(words, what+" "+value)
		}
	}
	add("profile", p.Profile)
	add("role", p.RoleARN)
	add("web identity of the file", p.WebIdentityTokenFile)
	add("web identity of the variable", p.WebIdentityTokenEnv)
	if p.ExternalID != "" { // some keep it to themselves
		words = append(words, "an external id")
	}
	return cmp.Or(strings.Join(words, ", "), "the AWS SDK's own chain")
}

// log reports what is wrong with the settings of the log, and nothing if they are right.
func (d *diagnosis) log(context.Context) (f Finding) {
	if err := d.Settings.LogLevelErr; err != nil {
		d.report(warn("set one of those, or unset it", "%v", err))
	}
	if err := d.Settings.LogFileErr; err != nil {
		f = warn("write the whole path", "%v; no log is written", err)
	}
	return f
}
