package scripts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// getWhileChanging gets the password for [testenv.Host]. AWS delays one action, and change runs in
// that time.
func getWhileChanging(t *testing.T, env *testenv.Env, action string, change func()) string {
	t.Helper()
	env.AWS.ResetCounts()
	env.AWS.Fail(action, awstest.Fault{Delay: 2 * time.Second, Times: 1})
	go func() {
		if err := env.AWS.Await(t.Context(), action, 1); err == nil {
			change()
		}
	}()
	return env.Password(t, testenv.Host)
}

func mustBeTokenOf(t *testing.T, env *testenv.Env, password, principal string) {
	t.Helper()
	who, err := env.AWS.VerifyToken(password, testenv.Host)
	if err != nil || !strings.HasPrefix(who, principal) {
		t.Errorf("the token is that of %s, %v; want %s", who, err, principal)
	}
}

const (
	pullSession  = "arn:aws:sts::222222222222:assumed-role/pull/"
	otherSession = "arn:aws:sts::222222222222:assumed-role/other/"
	keysOfUser   = "[base]\naws_access_key_id = " + testenv.KeyID + "\naws_secret_access_key = " + testenv.Secret + "\n"
	pullProfile  = "[default]\nrole_arn = " + testenv.PullRole + "\nsource_profile = base\n" + keysOfUser
)

// The AWS files change while the helper waits for AWS. The token belongs to the files as they were
// read, and the cache serves it for that text alone.
func TestFilesChangeDuringGet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(env *testenv.Env)
		then   string // the principal of the next get
		calls  int    // of AWS, by then
	}{
		{"nothing", func(*testenv.Env) {}, pullSession, 1},
		{"the same text again", func(env *testenv.Env) { env.Write(t, ".aws/credentials", pullProfile) }, pullSession, 1},
		{"another role", func(env *testenv.Env) {
			env.Write(t, ".aws/credentials", strings.Replace(pullProfile, "role/pull", "role/other", 1))
		}, otherSession, 2},
		{"a file that comes and goes", func(env *testenv.Env) {
			env.Write(t, ".aws/config", keysOfUser)
			os.Remove(filepath.Join(env.Home, ".aws/config"))
		}, pullSession, 1},
		{"a home that is busy", func(env *testenv.Env) {
			for i := range 100 {
				env.Write(t, fmt.Sprint("file", i), "")
			}
		}, pullSession, 1},
		{"a login file that isn't used", func(env *testenv.Env) { env.Write(t, ".aws/sso/cache/x.json", "{}") }, pullSession, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := testenv.New(t)
			env.NoTimeouts()
			env.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
			env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
			env.AWS.AddRole(awstest.Role{ARN: "arn:aws:iam::222222222222:role/other", Trusts: []string{testenv.UserARN}})
			env.Write(t, ".aws/credentials", pullProfile)
			mustBeTokenOf(t, env, getWhileChanging(t, env, "sts:AssumeRole", func() { c.change(env) }), pullSession)
			mustCount(t, env, map[string]int{"sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1})
			mustBeTokenOf(t, env, env.Password(t, testenv.Host), c.then)
			mustCount(t, env, map[string]int{"sts:AssumeRole": c.calls, "ecr:GetAuthorizationToken": c.calls})
		})
	}
}

// If a web identity token is replaced, even by the same one, the role is assumed again.
func TestTokenFileChangesDuringGet(t *testing.T) {
	t.Parallel()
	env := testenv.New(t)
	env.NoTimeouts()
	env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, WebIdentity: workload("ci")})
	token := workload("ci").Token(time.Now().Add(time.Hour))
	env.Write(t, "token", token)
	env.Set("AWS_ROLE_ARN="+testenv.PullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(env.Home, "token"))
	for range 2 { // the second get finds the token of the first
		if env.AWS.Count("sts:AssumeRoleWithWebIdentity") == 0 {
			mustBeTokenOf(t, env, getWhileChanging(t, env, "ecr:GetAuthorizationToken", func() { env.Write(t, "token", token) }), pullSession)
		}
		mustBeTokenOf(t, env, env.Password(t, testenv.Host), pullSession)
		mustCount(t, env, map[string]int{"sts:AssumeRoleWithWebIdentity": 2, "ecr:GetAuthorizationToken": 2})
	}
}

// The SDK refreshes an expired login and rewrites its file. Then another user logs in, and gets no
// token of the first one.
func TestLoginIsReplacedAfterItsRefresh(t *testing.T) {
	t.Parallel()
	env := testenv.New(t)
	env.NoTimeouts()
	env.Write(t, ".aws/config", "[default]\nsso_session = dev\nsso_account_id = 222222222222\nsso_role_name = Developer\n"+
		"[sso-session dev]\nsso_region = eu-west-1\nsso_start_url = "+portal+"\n")
	first := env.AWS.AddSSO(portal, "eu-west-1", "222222222222", "Developer")
	env.AWS.ExpireSSO()
	first.ExpiresAt = time.Now().Add(-time.Minute)
	second := env.AWS.AddSSOUser("other@example.com", portal, "eu-west-1", "222222222222", "Developer")
	write := func(login awstest.SSOLogin) {
		text, err := json.Marshal(login)
		if err != nil {
			t.Error(err)
		}
		// The name is the SHA-1 of the session's name.
		env.Write(t, ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json", string(text))
	}
	write(first)
	getWhileChanging(t, env, "ecr:GetAuthorizationToken", func() { write(second) })
	calls := map[string]int{"sso-oidc:CreateToken": 1, "sso:GetRoleCredentials": 2, "ecr:GetAuthorizationToken": 2}
	for range 2 { // both find the token of the user who is logged in
		mustBeTokenOf(t, env, env.Password(t, testenv.Host), "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Developer_57898e0f9b0f3379/other@example.com")
		mustCount(t, env, calls)
	}
}
