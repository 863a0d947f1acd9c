package awsapi

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/sanitize"
)

// failed returns the [*failure.Failure] that explains an error in one line, without secrets, or nil
// for none.
func (c *chain) failed(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := diagnose.Explain(err, c.facts())
	f.Reason, f.Hint = c.clean(f.Reason), c.clean(f.Hint)
	return f
}

// facts returns what the explanation of an error needs beside the error.
func (c *chain) facts() diagnose.Facts {
	seen := c.requestLog.soFar()
	return diagnose.Facts{
		Last:            seen.last,
		Role:            seen.role,
		Principal:       c.request.Principal,
		Where:           c.request.Where,
		Files:           c.fileNames(),
		HiddenFiles:     c.hidden(),
		UnreadableToken: c.unreadableToken(),
		Source:          c.source.Name(),
		NamesMetadata:   c.namesMetadata(),
		MetadataHost:    c.metadataHost(),
		ContainerHost:   c.containerHost(),
		Login:           c.login(),
	}
}

// unreadableToken returns why a web identity file can't be read, nil if each can. It opens no pipe,
// which nothing would end.
func (c *chain) unreadableToken() (why *fs.PathError) {
	for _, file := range c.tokenFiles() {
		_, _, err := atomicfile.ReadRegular(file, maxInput)
		errors.As(err, &why)
	}
	return why
}

// fileNames names the AWS configuration, for messages.
func (c *chain) fileNames() string {
	isEmpty := func(file string) bool { return file == "" }
	files := slices.DeleteFunc([]string{c.files.Config, c.files.Credentials}, isEmpty)
	return cmp.Or(strings.Join(files, " or "), "the AWS configuration, since there is no home to find it in")
}

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
	values := append(slices.Clone(c.requestLog.soFar().sent), c.request.Principal.WebIdentityToken)
	for _, file := range c.tokenFiles() {
		token, _, _ := atomicfile.ReadRegular(file, maxInput)
		values = append(values, string(token))
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
	for _, p := range c.profiles {
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
