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

// getMeanwhile gets the password of [testenv.Host] while AWS takes its time for an action, and changes
// something in that time.
func getWhileChanging(t *testing.T, l *testenv.Env, action string, change func()) string {
	t.Helper()
	l.AWS.ResetCounts()
	l.AWS.Fail(action, awstest.Fault{Delay: 2 * time.Second, Times: 1})
	go func() {
		if err := l.AWS.Await(t.Context(), action, 1); err == nil {
			change()
		}
	}()
	return l.Password(t, testenv.Host)
}

func mustBeTokenOf(t *testing.T, l *testenv.Env, password, principal string) {
	t.Helper()
	who, err := l.AWS.VerifyToken(password, testenv.Host)
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

// What happens to the AWS files while AWS is asked: the answer is that of the files as they were read,
// and is kept for them alone.
func TestFilesChangeDuringGet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(l *testenv.Env)
		then   string // whose token the next get gives
		asked  int    // by then
	}{
		{"nothing", func(*testenv.Env) {}, pullSession, 1},
		{"the same text again", func(l *testenv.Env) { l.Write(t, ".aws/credentials", pullProfile) }, pullSession, 1},
		{"another role", func(l *testenv.Env) {
			l.Write(t, ".aws/credentials", strings.Replace(pullProfile, "role/pull", "role/other", 1))
		}, otherSession, 2},
		{"a file that comes and goes", func(l *testenv.Env) {
			l.Write(t, ".aws/config", keysOfUser)
			os.Remove(filepath.Join(l.Home, ".aws/config"))
		}, pullSession, 1},
		{"a home that is busy", func(l *testenv.Env) {
			for i := range 100 {
				l.Write(t, fmt.Sprint("file", i), "")
			}
		}, pullSession, 1},
		{"a login file that isn't used", func(l *testenv.Env) { l.Write(t, ".aws/sso/cache/x.json", "{}") }, pullSession, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := testenv.New(t)
			l.NoTimeouts()
			l.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
			l.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
			l.AWS.AddRole(awstest.Role{ARN: "arn:aws:iam::222222222222:role/other", Trusts: []string{testenv.UserARN}})
			l.Write(t, ".aws/credentials", pullProfile)
			mustBeTokenOf(t, l, getWhileChanging(t, l, "sts:AssumeRole", func() { c.change(l) }), pullSession)
			mustCount(t, l, map[string]int{"sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1})
			mustBeTokenOf(t, l, l.Password(t, testenv.Host), c.then)
			mustCount(t, l, map[string]int{"sts:AssumeRole": c.asked, "ecr:GetAuthorizationToken": c.asked})
		})
	}
}

// A web identity token that is replaced, be it by the same, has the role assumed again.
func TestTokenFileChangesDuringGet(t *testing.T) {
	t.Parallel()
	l := testenv.New(t)
	l.NoTimeouts()
	l.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, WebIdentity: workload("ci")})
	token := workload("ci").Token(time.Now().Add(time.Hour))
	l.Write(t, "token", token)
	l.Set("AWS_ROLE_ARN="+testenv.PullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(l.Home, "token"))
	for range 2 { // the second finds what the first has kept
		if l.AWS.Count("sts:AssumeRoleWithWebIdentity") == 0 {
			mustBeTokenOf(t, l, getWhileChanging(t, l, "ecr:GetAuthorizationToken", func() { l.Write(t, "token", token) }), pullSession)
		}
		mustBeTokenOf(t, l, l.Password(t, testenv.Host), pullSession)
		mustCount(t, l, map[string]int{"sts:AssumeRoleWithWebIdentity": 2, "ecr:GetAuthorizationToken": 2})
	}
}

// A login that lapses is refreshed by the SDK, which rewrites its file; and then another person logs
// in. His identity gets no token of the first one's.
func TestLoginIsReplacedAfterItsRefresh(t *testing.T) {
	t.Parallel()
	l := testenv.New(t)
	l.NoTimeouts()
	l.Write(t, ".aws/config", "[default]\nsso_session = dev\nsso_account_id = 222222222222\nsso_role_name = Developer\n"+
		"[sso-session dev]\nsso_region = eu-west-1\nsso_start_url = "+portal+"\n")
	first := l.AWS.AddSSO(portal, "eu-west-1", "222222222222", "Developer")
	l.AWS.ExpireSSO()
	first.ExpiresAt = time.Now().Add(-time.Minute)
	second := l.AWS.AddSSOUser("other@example.com", portal, "eu-west-1", "222222222222", "Developer")
	write := func(login awstest.SSOLogin) {
		text, err := json.Marshal(login)
		if err != nil {
			t.Error(err)
		}
		// Named after the session's SHA-1.
		l.Write(t, ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json", string(text))
	}
	write(first)
	getWhileChanging(t, l, "ecr:GetAuthorizationToken", func() { write(second) })
	asked := map[string]int{"sso-oidc:CreateToken": 1, "sso:GetRoleCredentials": 2, "ecr:GetAuthorizationToken": 2}
	for range 2 { // both find what was kept for the person who is logged in
		mustBeTokenOf(t, l, l.Password(t, testenv.Host), "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Developer_57898e0f9b0f3379/other@example.com")
		mustCount(t, l, asked)
	}
}
