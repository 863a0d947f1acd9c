package awsapi

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/identity"
)

// check returns an error for what the SDK would skip or can't use, before any request: in the
// variables and, if they are used, in the files.
func (c *chain) check() error {
	for _, check := range []func() error{c.checkVariables, c.checkProxies, c.checkBundles, c.checkShared} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkVariables returns an error for variables that can't be meant as they are.
func (c *chain) checkVariables() error {
	p, env := c.request.Principal, c.request.Env
	var names []string
	if p.Profile == "" && !p.HasWebIdentity() {
		if missing := identity.MissingKey(env); missing != "" && env.Get("AWS_PROFILE") == "" { // which would be meant
			return diagnose.Misconfigured("set both, or neither",
				"%s isn't set, and the other half of the access key is; nothing else is taken in its place", missing)
		}
	}
	switch {
	case c.source.FromProfile:
		names = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}
	case !p.HasWebIdentity() && len(c.source.Used.TokenFiles) > 0:
		names = []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"}
	}
	for _, service := range []string{"", "_ECR", "_ECR_PUBLIC", "_STS", "_SSO", "_SSO_OIDC", "_SIGNIN"} {
		names = append(names, "AWS_ENDPOINT_URL"+service)
	}
	return c.checkValues(append(names, "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")...)
}

// checkValues returns an error for variables with characters that their values can't have, such as
// the end of the line that they were read from.
func (c *chain) checkValues(names ...string) error {
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	for _, name := range names {
		if value := c.request.Env.Get(name); strings.TrimSpace(value) != value || strings.ContainsFunc(value, isControl) {
			return diagnose.Misconfigured("set it without", "the value of %s has a blank or a line break around it, or in it", name)
		}
	}
	return nil
}

// checkProxies returns an error for a proxy that net/http would ignore, and so ask AWS directly, or
// whose host would be another, because the password has a character that a URL can't hold. The
// value is never shown.
func (c *chain) checkProxies() error {
	env := c.request.Env
	for host := range strings.SplitSeq(env.Get("NO_PROXY")+","+env.Get("no_proxy"), ",") {
		if strings.TrimSpace(host) == "*" {
			return nil
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} { // AWS is asked over https
		value := env.Get(name)
		if value == "" {
			continue
		}
		if isProxy(value) {
			return nil
		}
		return diagnose.Misconfigured("write http://USER:PASSWORD@HOST:PORT, without blanks, and each character of the password but letters and digits as % and two hexadecimal digits",
			"%s isn't the URL of a proxy", name)
	}
	return nil
}

// isProxy reports whether a value is a proxy's URL or, as for net/http, such a URL without a scheme;
// and not one whose password has ended the host.
func isProxy(text string) bool {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	at, err := url.Parse(text)
	return err == nil && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, at.Scheme) &&
		at.Host != "" && !strings.Contains(at.Path+at.RawQuery+at.Fragment, "@")
}

// checkSource returns an error for wrong variables that the source of the credentials depends on.
func (c *chain) checkSource(used identity.Used) error {
	env := c.request.Env
	if used.Logins && c.request.Home == "" && env.Get(loginVariable) == "" {
		return diagnose.Misconfigured("set HOME", "nobody is logged in for profile %s: there is no home to find the login in",
			c.profileChain[len(c.profileChain)-1].Name)
	}
	if used.Container {
		const tokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
		if err := c.checkValues("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"); err != nil {
			return err
		}
		return checkNamed(tokenFile, env.Get(tokenFile), maxInput)
	}
	if !used.Metadata {
		return nil
	}
	value := env.Get("AWS_EC2_METADATA_DISABLED")
	if !slices.Contains([]string{"", "false", "0", "no", "off"}, strings.ToLower(strings.TrimSpace(value))) {
		return diagnose.Misconfigured("set it to true or false",
			"AWS_EC2_METADATA_DISABLED is %q, which turns nothing off, and the credentials would be the instance's", value)
	}
	name := "AWS_EC2_METADATA_SERVICE_ENDPOINT"
	endpoint := env.Get(name)
	if endpoint == "" && len(c.profileChain) > 0 {
		endpoint = c.profileChain[0].Get("ec2_metadata_service_endpoint")
		name = "ec2_metadata_service_endpoint of profile " + c.profileChain[0].Name
	}
	if at, err := url.Parse(endpoint); endpoint != "" && (err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "") {
		return diagnose.Misconfigured("write it as http://HOST:PORT",
			"%s isn't the URL of the instance metadata service: it has no http:// or no host", name)
	}
	return nil
}

// checkKeys returns an error for keys that no request can hold, such as those of a variable that
// was read with the line break at its end.
func (c *chain) checkKeys() error {
	env := c.request.Env
	var keys []string
	for _, resolved := range c.resolved {
		keys = append(keys, resolved.AccessKeyID, resolved.SecretAccessKey, resolved.SessionToken)
	}
	if c.hasStep(aws.CredentialSourceEnvVars) || c.takesEnvironment() {
		keys = append(keys, env.Get("AWS_ACCESS_KEY_ID"), env.Get("AWS_SECRET_ACCESS_KEY"), env.Get("AWS_SESSION_TOKEN"))
	}
	if p := c.lastProfile(); p != nil && c.hasStep(aws.CredentialSourceProfile) {
		keys = append(keys, p.Credentials.AccessKeyID, p.Credentials.SecretAccessKey, p.Credentials.SessionToken)
	}
	if !strings.ContainsFunc(strings.Join(keys, ""), isNotPrintable) {
		return nil
	}
	return diagnose.Misconfigured("set it without that",
		"the access key, its secret or its session token holds a line break, a blank or another character that none has; they come from: %s", c.source.Name())
}

// logSkipped logs the files that the SDK skips without an error: those that a variable names and
// that don't exist, and those in a directory that this user can't read. The next source in the
// chain may be another principal.
func (c *chain) logSkipped() {
	for name, file := range map[string]string{"AWS_CONFIG_FILE": c.files.Config, "AWS_SHARED_CREDENTIALS_FILE": c.files.Credentials} {
		if _, err := os.Stat(file); c.request.Env.Get(name) != "" && os.IsNotExist(err) && c.source.FromProfile {
			c.request.Log.Errorf("%s names %s, which doesn't exist", name, file)
		}
	}
	for _, file := range c.hidden() {
		c.request.Log.Errorf("%s is skipped: this user can't read a directory above it", file)
	}
}

// hidden returns the files of the AWS configuration in directories that this user can't read.
func (c *chain) hidden() []string {
	if !c.source.FromProfile {
		return nil
	}
	return slices.DeleteFunc([]string{c.files.Config, c.files.Credentials}, func(file string) bool {
		_, err := os.Lstat(file)
		return file == "" || !os.IsPermission(err)
	})
}
