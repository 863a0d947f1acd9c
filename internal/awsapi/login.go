package awsapi

import (
	"encoding/json"
	"os"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"

	ownconfig "docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/sanitize"
)

// loginVariable names the directory of the sessions of "aws login".
const loginVariable = "AWS_LOGIN_CACHE_DIRECTORY"

// login returns the session of SSO or "aws login" that holds the credentials of the last profile,
// or nil if they are elsewhere.
func (c *chain) login() *diagnose.Login {
	p := c.lastProfile()
	switch {
	case p == nil:
		return nil
	case c.hasStep(aws.CredentialSourceLogin):
		return &diagnose.Login{Profile: p.Profile, File: c.loginFile(p), Command: "aws login --profile " + sanitize.ShellWord(p.Profile)}
	case !c.hasStep(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy):
		return nil
	}
	key := p.SSOStartURL
	if p.SSOSession != nil {
		key = p.SSOSession.Name
	}
	file, _ := ssocreds.StandardCachedTokenFilepath(key)
	return &diagnose.Login{
		Profile: p.Profile, File: c.ssoFile(file), Command: "aws sso login --profile " + sanitize.ShellWord(p.Profile),
		Role: p.SSORoleName, Account: p.SSOAccountID,
	}
}

// ssoFile returns the login file of that name below our home. The SDK computes the name, but looks
// for it below HOME, even if that is a relative path.
func (c *chain) ssoFile(file string) string {
	if c.request.Home == "" {
		return os.DevNull
	}
	return path.Join(c.request.Home, ".aws/sso/cache", path.Base(file))
}

// loginFile returns the file of "aws login", likewise.
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
	c.assumeProfiles(logincreds.New(signin.NewFromConfig(c.chainConfig()), c.loginFile(c.lastProfile()), func(o *logincreds.Options) {
		o.RestrictPermissions = true
	}))
}

// checkLogin returns an error for a login file that exists and can't be used.
func (c *chain) checkLogin() error {
	l := c.login()
	if l == nil {
		return nil
	}
	if dir := c.request.Env.Get(loginVariable); dir != "" && c.hasStep(aws.CredentialSourceLogin) {
		if _, err := ownconfig.Path(dir, c.request.Home); err != nil {
			return diagnose.Misconfigured("write the whole path", "%s: %v", loginVariable, err)
		}
	}
	text, err := readText(l.File)
	switch {
	case err != nil:
		return err
	case text != "" && json.Unmarshal([]byte(text), &map[string]any{}) != nil:
		return diagnose.Misconfigured("run: "+l.Command, "the login file %s isn't a JSON object", l.File)
	}
	return nil
}
