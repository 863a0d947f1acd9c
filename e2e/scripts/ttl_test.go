package scripts

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// onlyToken returns the one token in the cache.
func onlyToken(t *testing.T, env *testenv.Env) cache.Token {
	t.Helper()
	text := testenv.ReadFile(t, env.TokenFile(t))
	_, rest, _ := strings.Cut(string(text), "identity ")
	identity, _, _ := strings.Cut(rest, "\n")
	items := cache.New(filepath.Join(env.Home, ".ecr")).Items(identity)
	if len(items) != 1 {
		t.Fatalf("%d tokens in\n%.300s", len(items), text)
	}
	return items[0].Token
}

// A token's TTL is the time from AWS's clock to the expiry that AWS returns. It begins at the local
// time of the request.
func TestTokenTTL(t *testing.T) {
	for name, c := range map[string]struct {
		clock              time.Duration // how far AWS's clock is ahead of the local one
		ttl, inside        time.Duration // by the API, and inside the token
		wantTTL, wantFresh time.Duration
	}{
		"as AWS gives it":                  {wantTTL: 12 * time.Hour, wantFresh: 6 * time.Hour},
		"the local clock is behind":        {clock: time.Hour, wantTTL: 12 * time.Hour, wantFresh: 6 * time.Hour},
		"the local clock is ahead":         {clock: -365 * 24 * time.Hour, wantTTL: 12 * time.Hour, wantFresh: 6 * time.Hour},
		"the local clock is behind, short": {clock: 3 * time.Hour, ttl: 2 * time.Hour, wantTTL: 2 * time.Hour, wantFresh: time.Hour},
		"short":                            {ttl: time.Hour, wantTTL: time.Hour, wantFresh: 30 * time.Minute},
		"longer than any":                  {ttl: 99 * time.Hour, wantTTL: 12 * time.Hour, wantFresh: 6 * time.Hour},
		"shorter inside":                   {inside: 2 * time.Hour, wantTTL: 2 * time.Hour, wantFresh: time.Hour},
		"longer inside":                    {inside: 20 * time.Hour, wantTTL: 12 * time.Hour, wantFresh: 6 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.WithKeys(t)
			env.AWS.SetClock(func() time.Time { return time.Now().Add(c.clock) })
			if c.ttl != 0 {
				env.AWS.SetTokenTTL(c.ttl)
			}
			if c.inside != 0 {
				env.AWS.SetPasswordTTL(c.inside)
			}
			before := time.Now()
			env.Password(t, testenv.Host)
			token := onlyToken(t, env)
			if token.RequestedAt.Before(before) || token.RequestedAt.After(time.Now()) {
				t.Errorf("requested at %v, not now", token.RequestedAt)
			}
			mustBeAbout(t, "TTL", token.Expires.Sub(token.RequestedAt), c.wantTTL)
			mustBeJittered(t, token.FreshUntil.Sub(token.RequestedAt), c.wantFresh)
		})
	}
}

// If the principal can change without a change of local files and variables, a token is fresh for
// an hour.
func TestFreshnessIfPrincipalMayChange(t *testing.T) {
	const hour = time.Hour
	for name, c := range map[string]struct {
		prepare func(*testing.T) *testenv.Env
		want    time.Duration
	}{
		"role over an instance": {func(t *testing.T) *testenv.Env { return testenv.OnInstance(t) }, 6 * hour},
		"instance": {func(t *testing.T) *testenv.Env {
			env := testenv.New(t)
			env.AWS.SetInstanceRole(testenv.RunnerRole)
			return env
		}, hour},
		"container": {func(t *testing.T) *testenv.Env {
			env := testenv.New(t)
			env.AWS.SetContainerRole(testenv.RunnerRole, "")
			env.Set("AWS_CONTAINER_CREDENTIALS_FULL_URI=" + env.AWS.ContainerURL())
			return env
		}, hour},
		"credential process": {func(t *testing.T) *testenv.Env { return withProcess(t, "") }, hour},
		"role over a credential process": {func(t *testing.T) *testenv.Env {
			env := withProcess(t, "base")
			env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
			return env
		}, 6 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			env := c.prepare(t)
			env.Password(t, testenv.Host)
			token := onlyToken(t, env)
			mustBeJittered(t, token.FreshUntil.Sub(token.RequestedAt), c.want)
		})
	}
}

// withProcess returns an Env in which a credential process returns a user's keys. If profile isn't
// empty, the process is in that profile, and the default profile assumes a role with its keys.
func withProcess(t *testing.T, profile string) *testenv.Env {
	env := testenv.New(t)
	env.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	env.Write(t, "keys.json", `{"Version":1,"AccessKeyId":"`+testenv.KeyID+`","SecretAccessKey":"`+testenv.Secret+`"}`)
	config := "[default]\n"
	if profile != "" {
		config += "role_arn = " + testenv.PullRole + "\nsource_profile = " + profile + "\n[profile " + profile + "]\n"
	}
	env.Write(t, ".aws/config", config+"credential_process = cat "+env.Home+"/keys.json\n")
	return env
}

// mustBeJittered checks how long a token is fresh: the longest time, or up to a sixth less.
func mustBeJittered(t *testing.T, got, longest time.Duration) {
	t.Helper()
	if got > longest+time.Minute || got < longest*5/6-time.Minute {
		t.Errorf("freshness %v, want %v, or less by a sixth", got, longest)
	}
}

// Tokens that are requested at the same time are not renewed at the same time.
func TestJitter(t *testing.T) {
	due := map[time.Duration]bool{}
	for range 5 {
		env := testenv.WithKeys(t)
		env.Password(t, testenv.Host)
		token := onlyToken(t, env)
		due[token.FreshUntil.Sub(token.RequestedAt).Round(time.Second)] = true
	}
	if len(due) < 4 {
		t.Errorf("five tokens are due after %v", due)
	}
}

// mustBeAbout checks a duration. It may differ because AWS rounds its times to seconds and because
// the request takes time.
func mustBeAbout(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if (got - want).Abs() > time.Minute {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}
