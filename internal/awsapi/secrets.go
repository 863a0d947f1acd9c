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
	// secretKey matches a word with the form of a secret access key, and longToken one that is
	// as long as session tokens, JWTs and registry passwords are. An answer may repeat a secret
	// that isn't known here.
	secretKey = regexp.MustCompile(`(^|[\s"'=,;({])[A-Za-z0-9/+]{40}($|[\s"',;.)}])`)
	longToken = regexp.MustCompile(`[A-Za-z0-9+/=_.~-]{128,}`)
)

// clean returns a text as one line without secrets.
func (c *chain) clean(text string) string {
	// First, as a character that is dropped could split a secret.
	text = sanitize.Unbounded(text)
	text = passwordInURL.ReplaceAllString(text, "://***@")
	text = queryInURL.ReplaceAllString(text, "${1}***")
	for _, secret := range c.secrets() {
		text = strings.ReplaceAll(text, secret, "***")
	}
	text = secretKey.ReplaceAllString(text, "${1}***${2}")
	return sanitize.Line(longToken.ReplaceAllString(text, "***"))
}

// secrets returns those that are known: in variables, profiles and files, and in the headers
// that were sent.
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
	for _, resolved := range c.resolved {
		values = append(values, resolved.SecretAccessKey, resolved.SessionToken)
	}

	var secrets []string
	for _, value := range values {
		// A shorter value isn't a secret, and may be a part of any word.
		if value = strings.TrimSpace(value); len(value) >= 8 {
			secrets = append(secrets, value)
		}
	}
	return secrets
}
