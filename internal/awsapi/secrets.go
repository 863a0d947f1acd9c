package awsapi

import (
	"net/url"
	"os"
	"regexp"
	"strings"

	"docker-credential-ecr-login/internal/sanitize"
)

var (
	passwordInURL = regexp.MustCompile(`://\S*@`)
	queryInURL    = regexp.MustCompile(`(://[^\s?"]*\?)[^\s";]+`)
	// secretKey is a word that has the form of a secret access key, and token one that is
	// as long as session tokens, JWTs and registry passwords are: what AWS, or who answers in
	// its place, says may repeat one that isn't known here.
	secretKey = regexp.MustCompile(`(^|[\s"'=,;({])[A-Za-z0-9/+]{40}($|[\s"',;.)}])`)
	longToken = regexp.MustCompile(`[A-Za-z0-9+/=_.~-]{128,}`)
)

// clean makes text one line without secrets.
func (c *chain) clean(text string) string {
	// First, as what is left out could part a secret.
	text = sanitize.Unbounded(text)
	text = passwordInURL.ReplaceAllString(text, "://***@")
	text = queryInURL.ReplaceAllString(text, "${1}***")
	for _, secret := range c.secrets() {
		text = strings.ReplaceAll(text, secret, "***")
	}
	text = secretKey.ReplaceAllString(text, "${1}***${2}")
	return sanitize.Line(longToken.ReplaceAllString(text, "***"))
}

// secrets lists those that are known: in variables, profiles and files, and in the headers
// of what was sent.
func (c *chain) secrets() []string {
	values := append(c.requests.sentSecrets(), c.request.Principal.WebIdentityToken)
	for _, file := range c.tokenFiles() {
		// A pipe would block, and has given its bytes already.
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxInput {
			continue
		}
		if token, err := os.ReadFile(file); err == nil {
			values = append(values, string(token))
		}
	}
	for _, name := range []string{
		"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		c.request.Principal.WebIdentityTokenEnv,
	} {
		values = append(values, c.request.Env.Get(name))
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		value := c.request.Env.Get(name)
		if proxy, err := url.Parse(value); err != nil {
			values = append(values, value)
		} else if proxy.User != nil {
			password, _ := proxy.User.Password()
			values = append(values, password)
		}
	}
	for _, p := range c.profiles() {
		values = append(values, p.Credentials.SecretAccessKey, p.Credentials.SessionToken)
	}
	for _, given := range c.resolved {
		values = append(values, given.SecretAccessKey, given.SessionToken)
	}

	var secrets []string
	for _, value := range values {
		// What is shorter is no secret, and may be a part of any word.
		if value = strings.TrimSpace(value); len(value) >= 8 {
			secrets = append(secrets, value)
		}
	}
	return secrets
}
