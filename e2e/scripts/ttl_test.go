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

// kept returns the one token in the cache.
func onlyToken(t *testing.T, env *testenv.Env) cache.Token {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(env.Home, ".ecr/tokens/*.token"))
	if err != nil || len(files) != 1 {
		t.Fatalf("tokens kept: %q, %v; want one", files, err)
	}
	text := testenv.ReadFile(t, files[0])
	_, rest, _ := strings.Cut(string(text), "identity ")
	identity, _, _ := strings.Cut(rest, "\n")
	items := cache.New(filepath.Join(env.Home, ".ecr")).Items(identity)
	if len(items) != 1 {
		t.Fatalf("%d tokens in\n%.300s", len(items), text)
	}
	return items[0].Token
}

// A token's life counts from the local time of asking, and is what the answer
// says it is by the answer's own clock.
func TestTokenTTL(t *testing.T) {
	for name, c := range map[string]struct {
		clock             time.Duration // how far AWS's is ahead of ours
		life, inside      time.Duration // by the API, and by the token itself
		wantLife, wantNew time.Duration
	}{
		"as AWS gives it":       {wantLife: 12 * time.Hour, wantNew: 6 * time.Hour},
		"our clock is behind":   {clock: time.Hour, wantLife: 12 * time.Hour, wantNew: 6 * time.Hour},
		"our clock is ahead":    {clock: -365 * 24 * time.Hour, wantLife: 12 * time.Hour, wantNew: 6 * time.Hour},
		"ours is behind, short": {clock: 3 * time.Hour, life: 2 * time.Hour, wantLife: 2 * time.Hour, wantNew: time.Hour},
		"short":                 {life: time.Hour, wantLife: time.Hour, wantNew: 30 * time.Minute},
		"longer than any":       {life: 99 * time.Hour, wantLife: 12 * time.Hour, wantNew: 6 * time.Hour},
		"shorter inside":        {inside: 2 * time.Hour, wantLife: 2 * time.Hour, wantNew: time.Hour},
		"longer inside":         {inside: 20 * time.Hour, wantLife: 12 * time.Hour, wantNew: 6 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.WithKeys(t)
			env.AWS.SetClock(func() time.Time { return time.Now().Add(c.clock) })
			if c.life != 0 {
				env.AWS.SetTokenTTL(c.life)
			}
			if c.inside != 0 {
				env.AWS.SetPasswordTTL(c.inside)
			}
			before := time.Now()
			env.Password(t, testenv.Host)
			token := onlyToken(t, env)
			if token.RequestedAt.Before(before) || token.RequestedAt.After(time.Now()) {
				t.Errorf("asked at %v, not now", token.RequestedAt)
			}
			mustBeAbout(t, "life", token.Expires.Sub(token.RequestedAt), c.wantLife)
			mustBeJittered(t, token.FreshUntil.Sub(token.RequestedAt), c.wantNew)
		})
	}
}

// Where the principal can change while nothing that is read locally does, a
// token is fresh for an hour.
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

// withProcess has a user's keys from a credential process, and where the
// process is in a profile of its own, a role on top.
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

// mustBeJittered checks a freshness, of which a sixth may be missing.
func mustBeJittered(t *testing.T, got, longest time.Duration) {
	t.Helper()
	if got > longest+time.Minute || got < longest*5/6-time.Minute {
		t.Errorf("freshness %v, want %v, or less by a sixth", got, longest)
	}
}

// Tokens that are got at the same time are not due at the same time.
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

// mustBeAbout allows for the second that AWS rounds its times to, and for the
// time the request took.
func mustBeAbout(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if (got - want).Abs() > time.Minute {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}
