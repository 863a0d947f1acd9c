package awstest_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"docker-credential-ecr-login/internal/awstest"
)

const portal = "https://acme.awsapps.com/start"

// write writes a file of the home directory.
func write(t *testing.T, name string, content []byte) {
	t.Helper()
	name = filepath.Join(os.Getenv("HOME"), name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// profile returns an option by which the SDK reads one profile from a config file.
func profile(t *testing.T, text string) func(*config.LoadOptions) error {
	t.Helper()
	write(t, ".aws/config", []byte("[profile p]\n"+text))
	return func(o *config.LoadOptions) error {
		o.Credentials = nil
		o.SharedConfigProfile = "p"
		o.SharedConfigFiles = []string{filepath.Join(os.Getenv("HOME"), ".aws/config")}
		o.SharedCredentialsFiles = []string{}
		return nil
	}
}

func ssoProfile(t *testing.T, login awstest.SSOLogin, account, role string) func(*config.LoadOptions) error {
	t.Helper()
	write(t, fmt.Sprintf(".aws/sso/cache/%x.json", sha1.Sum([]byte("acme"))), asJSON(t, login))
	return profile(t, fmt.Sprintf(`sso_session = acme
sso_account_id = %s
sso_role_name = %s
[sso-session acme]
sso_start_url = %s
sso_region = %s
`, account, role, portal, login.Region))
}

func TestSSO(t *testing.T) {
	srv := newServer(t)
	login := srv.AddSSO(portal, "eu-west-1", "222222222222", "Developer")
	srv.AddSSO(portal, "eu-west-1", "333333333333", "Reader")

	for account, role := range map[string]string{"222222222222": "Developer", "333333333333": "Reader"} {
		p := password(t, load(t, srv, "us-east-2", ssoProfile(t, login, account, role)))
		who, err := srv.VerifyToken(p, account+".dkr.ecr.us-east-2.amazonaws.com")
		if err != nil || !strings.HasPrefix(who, "arn:aws:sts::"+account+":assumed-role/AWSReservedSSO_"+role+"_") {
			t.Errorf("principal %s, %v", who, err)
		}
	}
	if code, _ := refused(t, load(t, srv, "us-east-2", ssoProfile(t, login, "222222222222", "Admin"))); code != "ForbiddenException" {
		t.Errorf("a role that is not assigned: %s", code)
	}
	srv.ExpireSSO()
	if code, _ := refused(t, load(t, srv, "us-east-2", ssoProfile(t, login, "222222222222", "Developer"))); code != "UnauthorizedException" {
		t.Errorf("an expired access token: %s", code)
	}
	if got := srv.Count("sso-oidc:CreateToken"); got != 0 {
		t.Errorf("%d refreshes, want none", got)
	}
}

func TestSSORefresh(t *testing.T) {
	srv := newServer(t)
	login := srv.AddSSO(portal, "eu-west-1", "222222222222", "Developer")
	srv.ExpireSSO()
	login.ExpiresAt = time.Now().Add(-time.Minute)
	password(t, load(t, srv, "us-east-2", ssoProfile(t, login, "222222222222", "Developer")))
	want := []string{"oidc.eu-west-1.amazonaws.com", "portal.sso.eu-west-1.amazonaws.com", "api.ecr.us-east-2.amazonaws.com"}
	if got := srv.Connects(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("connects %v, want %v", got, want)
	}
	for name, modify := range map[string]func(*awstest.SSOLogin){
		"InvalidGrantException":  func(l *awstest.SSOLogin) { l.RefreshToken = "made up" },
		"InvalidClientException": func(l *awstest.SSOLogin) { l.ClientSecret = "made up" },
	} {
		bad := login
		modify(&bad)
		if code, _ := refused(t, load(t, srv, "us-east-2", ssoProfile(t, bad, "222222222222", "Developer"))); code != name {
			t.Errorf("code %s, want %s", code, name)
		}
	}
}

func TestLogin(t *testing.T) {
	srv := newServer(t)
	login, err := srv.AddLogin(userARN)
	if err != nil {
		t.Fatal(err)
	}
	use := func(l awstest.Login) func(*config.LoadOptions) error {
		write(t, fmt.Sprintf(".aws/login/cache/%x.json", sha256.Sum256([]byte(userARN))), asJSON(t, l))
		return profile(t, "login_session = "+userARN+"\nregion = eu-west-1\n")
	}
	password(t, load(t, srv, "eu-west-1", use(login)))
	if got := srv.Count("signin:CreateOAuth2Token"); got != 0 {
		t.Errorf("%d refreshes of a fresh login", got)
	}

	srv.ExpireSessions()
	login.AccessToken.ExpiresAt = time.Now().Add(-time.Minute)
	password(t, load(t, srv, "eu-west-1", use(login)))
	if got := srv.Count("signin:CreateOAuth2Token"); got != 1 {
		t.Errorf("%d refreshes, want 1", got)
	}

	another, err := srv.AddLogin(userARN)
	if err != nil {
		t.Fatal(err)
	}
	login.DPoPKey = another.DPoPKey
	_, err = load(t, srv, "eu-west-1", use(login)).Credentials.Retrieve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "login session has expired") {
		t.Errorf("with another key: %v", err)
	}
}
