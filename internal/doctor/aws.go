package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// registryMap tells what the map says of the host.
func (v *visit) registryMap(context.Context) {
	if v.Err != nil {
		v.bad = true
		v.fail("mend it", "%v", v.Err)
		return
	}
	m := &v.Settings.Map
	if v.image.host == "" {
		v.target = m.Own()
		v.ok("%s; without a HOST the registry of your own account is looked at", mapWords(m.File(), len(m.Hosts()), len(m.Patterns())))
		return
	}
	target, ok := m.Find(v.Image)
	switch {
	case !ok && v.Settings.Fallback != "":
		f := Finding{State: OK, Found: fmt.Sprintf("%s is neither a registry of ECR nor an alias in the map; the fallback docker-credential-%s (%s) is asked for it",
			v.image.host, v.Settings.Fallback, v.Settings.FallbackFrom)}
		if hint := registry.Hint(v.Image); hint != "" {
			f.State, f.Fix = Warning, hint
		}
		v.found(f)
		return
	case !ok:
		v.bad = true
		fix := registry.Hint(v.Image)
		if fix == "" {
			fix = "check the name; a host of your own in front of ECR needs an entry with alias_of in the registry map, and another registry a fallback helper (AWS_ECR_FALLBACK)"
		}
		v.fail(fix, "%s is neither a registry of ECR nor an alias in the map, so this helper has nothing for it", v.image.host)
		return
	}
	v.target, v.image.host = target, target.Host
	switch {
	case target.Refusal != nil:
		v.bad = true
		v.fail("mend it", "%v", target.Refusal)
	case target.Where == "":
		v.ok("%s; no entry matches %s, so the AWS SDK's own chain decides", mapWords(m.File(), len(m.Hosts()), len(m.Patterns())), target.Host)
	default:
		v.ok("%s decides for %s: %s", target.Where, target.Host, principalWords(target))
	}
}

func mapWords(file string, hosts, globs int) string {
	if file == "" {
		return "there is no registry map"
	}
	return fmt.Sprintf("the registry map %s names %d hosts and %d patterns", file, hosts, globs)
}

// source tells where the credentials come from, and why not from elsewhere.
func (v *visit) source(ctx context.Context) {
	if v.isOut() {
		return
	}
	id := identity.Read(v.Env, v.Settings.Home, v.target.Principal)
	passed := identity.Skipped(v.Env, v.Settings.Home, v.target.Principal)
	for i := range passed {
		passed[i] = "not from " + passed[i]
	}
	exam, err := awsapi.NewProbe(ctx, v.NewRequest(v.target))
	v.exam = exam
	if err != nil {
		f := finding(err)
		f.Notes = passed
		v.stop(f)
		return
	}
	v.found(Finding{State: OK, Found: fmt.Sprintf("credentials come from: %s", id.CredentialSource), Notes: passed})
}

// metadata tells of the instance metadata service, where the credentials may be there.
func (v *visit) metadata(ctx context.Context) {
	if v.bad || !v.exam.UsesMetadata() {
		if !v.bad {
			v.ok("the instance metadata service isn't needed")
			return
		}
		v.isOut()
		return
	}
	role, host, err := v.exam.InstanceRole(ctx)
	if err != nil { // a get is more patient, too
		role, host, err = v.exam.InstanceRole(ctx)
	}
	if err != nil {
		v.stop(finding(err))
		return
	}
	v.ok("the instance metadata service at %s answers; the instance's role is %s", host, role)
}

// identity tells whose credentials they are.
func (v *visit) identity(ctx context.Context) {
	if v.isOut() {
		return
	}
	if err := v.exam.Credentials(ctx); err != nil {
		if v.exam.UsesProcess() && ctx.Err() != nil {
			v.bad = true
			v.warn("run it by hand to see why it takes so long", "the credential process hasn't ended yet; a get waits for it up to a minute")
			return
		}
		v.stop(finding(err))
		return
	}
	caller, err := v.exam.Caller(ctx)
	if err != nil {
		f := finding(err)
		f.State = Warning // ECR may know better
		v.found(f)
		return
	}
	v.caller = caller
	f := Finding{State: OK, Found: fmt.Sprintf("%s, of account %s", caller.ARN, caller.Account)}
	if v.isForeign() {
		f.Notes = []string{fmt.Sprintf("the registry is account %s's: the policies of its repositories have to let this principal in", v.target.Registry.Account)}
	}
	v.found(f)
}

// isForeign tells whether the registry is another account's than the principal.
func (v *visit) isForeign() bool {
	account := v.target.Registry.Account
	return account != "" && v.caller.Account != "" && account != v.caller.Account
}

// network tells how AWS is reached.
func (v *visit) network(ctx context.Context) {
	if v.isOut() {
		return
	}
	at, err := v.exam.Endpoint(ctx)
	if err != nil {
		v.stop(finding(err))
		return
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: at.Scheme, Host: at.Host}})
	way := "directly"
	if proxy != nil {
		way = "through the proxy " + proxy.Host
	}
	if err != nil {
		v.fail("mend HTTPS_PROXY", "the proxy's URL can't be read")
		return
	}
	kind := ""
	if strings.Contains(at.Host, "-fips.") {
		kind += "FIPS, "
	}
	if strings.Contains(at.Host, ".api.a") { // .api.aws, .api.amazonwebservices.com.cn
		kind += "dual-stack, "
	}
	region := v.exam.Region()
	if v.target.Registry != (registry.Registry{}) {
		region = v.target.Registry.TokenRegion()
	}
	v.ok("%s (%sregion %s) is asked %s; authorities: %s", at.Host, kind, orNone(region), way, v.exam.CACertificates())
}

// token tells whether ECR gives one.
func (v *visit) token(ctx context.Context) {
	if v.isOut() {
		return
	}
	answer, asked, err := v.exam.Token(ctx)
	if err != nil {
		v.stop(finding(err))
		return
	}
	v.answer = answer
	if v.target.Registry == (registry.Registry{}) {
		v.target.Registry, v.target.Host = answer.Registry, answer.Registry.Host()
		v.image.host = v.target.Host
	}
	v.ok("%s gave a token (%s), which ends in %s, at %s", asked, v.target.Registry.EndpointVariant(), Age(answer.TTL), answer.RequestedAt.Add(answer.TTL).Format(time.RFC3339))
}

// finding is what an error of the exam comes to.
func finding(err error) Finding {
	var failure *cache.Failure
	if errors.As(err, &failure) {
		return Finding{State: Failure, Found: failure.Reason, Fix: failure.Hint}
	}
	return Finding{State: Failure, Found: err.Error()}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// principalWords tells whom the map asks AWS as.
func principalWords(t registrymap.Target) string {
	p := t.Principal
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
	if p.ExternalID != "" {
		words = append(words, "an external id")
	}
	if len(words) == 0 {
		return "the AWS SDK's own chain"
	}
	return strings.Join(words, ", ")
}
