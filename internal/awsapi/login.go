package awsapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"

	"docker-credential-ecr-login/cache"
	ownconfig "docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/sanitize"
)

// loginVariable names the directory of the sessions of "aws login".
const loginVariable = "AWS_LOGIN_CACHE_DIRECTORY"

// login is a session that a person has begun on the command line, and that its file holds.
type login struct{ file, command string }

// login returns the session of the last profile, if that is where its credentials are.
func (c *chain) login() (login, bool) {
	p := c.lastProfile()
	switch {
	case p == nil:
		return login{}, false
	case slices.Contains(c.steps, aws.CredentialSourceLogin):
		return login{c.loginFile(p), "aws login --profile " + sanitize.ShellWord(p.Profile)}, true
	case !slices.Contains(c.steps, aws.CredentialSourceSSO) && !slices.Contains(c.steps, aws.CredentialSourceSSOLegacy):
		return login{}, false
	}
	key := p.SSOStartURL
	if p.SSOSession != nil {
		key = p.SSOSession.Name
	}
	file, _ := ssocreds.StandardCachedTokenFilepath(key)
	return login{c.ssoFile(file), "aws sso login --profile " + sanitize.ShellWord(p.Profile)}, true
}

// ssoFile is the login file of that name below our home. The SDK works out the name, but looks for
// it below HOME, be that a relative path.
func (c *chain) ssoFile(file string) string {
	if c.request.Home == "" {
		return os.DevNull
	}
	return path.Join(c.request.Home, ".aws/sso/cache", path.Base(file))
}

// loginFile is the one of "aws login", likewise.
func (c *chain) loginFile(p *config.SharedConfig) string {
	dir := c.request.Env.Get(loginVariable)
	if dir == "" {
		dir = "~/.aws/login/cache"
	}
	dir, err := ownconfig.Path(dir, c.request.Home)
	if err != nil {
		return os.DevNull
	}
	file, _ := logincreds.StandardCachedTokenFilepath(p.LoginSession, dir)
	return file
}

// useLogin uses the session of "aws login".
func (c *chain) useLogin() {
	c.standOn(logincreds.New(signin.NewFromConfig(c.chainConfig()), c.loginFile(c.lastProfile()), func(o *logincreds.Options) {
		o.RestrictPermissions = true
	}))
}

// checkLogin returns an error for a login file that is there and can't be used.
func (c *chain) checkLogin() error {
	l, ok := c.login()
	if !ok {
		return nil
	}
	if dir := c.request.Env.Get(loginVariable); dir != "" && slices.Contains(c.steps, aws.CredentialSourceLogin) {
		if _, err := ownconfig.Path(dir, c.request.Home); err != nil {
			return mistake("write the whole path", "%s: %v", loginVariable, err)
		}
	}
	text, err := readText(l.file)
	switch {
	case err != nil:
		return err
	case text != "" && json.Unmarshal([]byte(text), &map[string]any{}) != nil:
		return mistake("run: "+l.command, "the login file %s isn't a JSON object", l.file)
	}
	return nil
}

// ofLogin tells of SSO and "aws login" sessions that are absent or have ended.
func (c *chain) ofLogin(error) *cache.Failure {
	l, ok := c.login()
	last, _ := c.requests.lastCall()
	isSession := slices.Contains([]string{"SSO", "SSO OIDC", "Signin", ""}, last.service)
	if !ok || !isSession { // without the latter the session was good, and what came after it failed
		return nil
	}
	p := c.lastProfile()
	// The refresh of a login says 400 or 403 where that has ended.
	refused := last.status == http.StatusUnauthorized ||
		last.service != "SSO" && (last.status == http.StatusBadRequest || last.status == http.StatusForbidden)
	switch {
	case last.service == "SSO" && last.status == http.StatusForbidden:
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("SSO refuses profile %s the role %s in account %s", p.Profile, p.SSORoleName, p.SSOAccountID),
			Hint:   "ask for the role to be assigned, or choose another profile",
		}
	case last.host != "" && !refused:
		return nil // of the service or the network, not of the session
	}
	what := fmt.Sprintf("the login for profile %s has ended", p.Profile)
	if _, err := os.Stat(l.file); errors.Is(err, fs.ErrNotExist) {
		what = fmt.Sprintf("nobody is logged in for profile %s: there is no %s", p.Profile, l.file)
	}
	return &cache.Failure{Kind: cache.Expired, Reason: what, Hint: "run: " + l.command}
}
