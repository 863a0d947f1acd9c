package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
)

// source reports where the credentials come from, and why not from elsewhere.
func (d *diagnosis) source(ctx context.Context) Finding {
	id := identity.Read(d.Env, d.Settings.Home, d.target.Principal)
	passed := id.Skipped(d.Env, d.Settings.Home, d.target.Principal)
	for i := range passed {
		passed[i] = "not from " + passed[i]
	}
	var err error
	d.probe, err = awsapi.NewProbe(ctx, d.NewRequest(d.target))
	f := ok("credentials come from: %s", id.CredentialSource)
	if err != nil {
		f = failed(err)
	}
	f.Notes = passed
	return f
}

// network reports how AWS is reached.
func (d *diagnosis) network(ctx context.Context) Finding {
	endpoint, err := d.probe.Endpoint(ctx)
	if err != nil {
		return failed(err)
	}
	target := &url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: target})
	if err != nil {
		// Other hosts may be reached all the same, so the next steps are taken.
		d.report(fail("mend HTTPS_PROXY", "the proxy's URL can't be read"))
		return Finding{}
	}
	route := "directly"
	if proxy != nil {
		route = "through the proxy " + proxy.Host
	}
	kind := ""
	if strings.Contains(endpoint.Host, "-fips.") {
		kind += "FIPS, "
	}
	if strings.Contains(endpoint.Host, ".api.a") { // .api.aws, .api.amazonwebservices.com.cn
		kind += "dual-stack, "
	}
	region := d.probe.Region()
	if d.target.Registry != (registry.Registry{}) {
		region = d.target.Registry.TokenRegion()
	}
	return ok("%s (%sregion %s) is asked %s; authorities: %s", endpoint.Host, kind, cmp.Or(region, "none"), route, d.probe.CACertificates())
}

// metadata reports whether the instance metadata service answers, if the credentials may be there.
func (d *diagnosis) metadata(ctx context.Context) Finding {
	if !d.probe.UsesMetadata() {
		return ok("the instance metadata service isn't needed")
	}
	role, host, err := d.probe.InstanceRole(ctx)
	if err != nil { // a get tries again, too
		role, host, err = d.probe.InstanceRole(ctx)
	}
	if err != nil {
		return failed(err)
	}
	return ok("the instance metadata service at %s answers; the instance's role is %s", host, role)
}

// identity reports whose credentials they are.
func (d *diagnosis) identity(ctx context.Context) Finding {
	if err := d.probe.Credentials(ctx); err != nil {
		if d.probe.UsesProcess() && ctx.Err() != nil {
			d.blocked = true
			return warn("run it by hand to see why it takes so long", "the credential process hasn't ended yet; a get waits for it up to a minute")
		}
		return failed(err)
	}
	caller, err := d.probe.Caller(ctx)
	if err != nil {
		f := failed(err)
		f.State = Warning // ECR may know better
		return f
	}
	d.caller = caller
	f := ok("%s, of account %s", caller.ARN, caller.Account)
	if d.isForeign() {
		f.Notes = []string{fmt.Sprintf("the registry is account %s's: the policies of its repositories have to let this principal in", d.target.Registry.Account)}
	}
	return f
}

// isForeign reports whether the registry is in another account than the principal.
func (d *diagnosis) isForeign() bool {
	account := d.target.Registry.Account
	return account != "" && d.caller.Account != "" && account != d.caller.Account
}

// token reports whether ECR gives a token.
func (d *diagnosis) token(ctx context.Context) Finding {
	response, endpoint, err := d.probe.Token(ctx)
	if err != nil {
		return failed(err)
	}
	d.response = response
	if d.target.Registry == (registry.Registry{}) {
		d.target.Registry, d.target.Host = response.Registry, response.Registry.Host()
		d.image.host = d.target.Host
	}
	return ok("%s gave a token (%s), which ends in %s, at %s", endpoint, d.target.Registry.EndpointVariant(),
		age(response.TTL), response.RequestedAt.Add(response.TTL).Format(time.RFC3339))
}

// failed returns the finding about an error of the probe.
func failed(err error) Finding {
	var why *failure.Failure
	if errors.As(err, &why) {
		return Finding{State: Failure, Found: why.Reason, Fix: why.Hint}
	}
	return Finding{State: Failure, Found: err.Error()}
}
