package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// gitlabRunner finds credentials as GitLab Runner does, with the same package; GitLab Runner itself
// is not available as a module. It gets all that the credsStore lists and each key of credHelpers,
// and returns none of them after an error.
func gitlabRunner(context.Context, []string) (any, error) {
	config := configfile.New("")
	if err := config.LoadFromReader(strings.NewReader(os.Getenv("DOCKER_AUTH_CONFIG"))); err != nil {
		return nil, err
	}
	found := map[string]types.AuthConfig{}
	if config.CredentialsStore != "" {
		all, err := credentials.NewNativeStore(config, config.CredentialsStore).GetAll()
		if err != nil {
			return nil, err
		}
		maps.Copy(found, all)
	}
	for key, helper := range config.CredentialHelpers {
		auth, err := credentials.NewNativeStore(config, helper).Get(key)
		if err != nil {
			return nil, err
		}
		found[key] = auth
	}
	return found, nil
}

// runJob makes the runner find its credentials.
func runJob(t *testing.T, env *testenv.Env, config map[string]any) (found map[string]types.AuthConfig, stderr string) {
	t.Helper()
	text, err := json.Marshal(config)
	testenv.Must(t, err)
	env.Set("DOCKER_AUTH_CONFIG=" + string(text))
	stderr = runProgram(t, env, &found, "gitlab-runner")
	return found, stderr
}

// wantCredentials checks that the runner has credentials for a key, and that the registry at host
// accepts them.
func wantCredentials(t *testing.T, env *testenv.Env, found map[string]types.AuthConfig, key, host string) {
	t.Helper()
	auth := found[key]
	if auth.Username != "AWS" {
		t.Errorf("%s: user %q, want AWS", key, auth.Username)
	}
	if _, err := env.AWS.VerifyToken(auth.Password, host); err != nil {
		t.Errorf("%s: the registry refuses the password: %v", key, err)
	}
}

func TestGitLabRunnerCredsStore(t *testing.T) {
	env := onRunner(t)
	config := map[string]any{"credsStore": "ecr-login"}

	found, stderr := runJob(t, env, config)
	wantCredentials(t, env, found, "https://"+pullHost, pullHost)
	wantCredentials(t, env, found, "https://public.ecr.aws", "public.ecr.aws")
	if len(found) != 2 || stderr != "" {
		t.Errorf("the first job found %d credentials, want 2, and on stderr is %q", len(found), stderr)
	}
	if n := env.AWS.Count("ecr:GetAuthorizationToken"); n != 1 {
		t.Errorf("the first job asked ECR %d times, want 1", n)
	}

	// The second registry belongs to another account. It is in the list after the first get, and
	// the role's token is valid for both.
	env.AWS.ResetCounts()
	env.Password(t, sharedHost)
	found, stderr = runJob(t, env, config)
	wantCredentials(t, env, found, "https://"+pullHost, pullHost)
	wantCredentials(t, env, found, "https://"+sharedHost, sharedHost)
	wantCredentials(t, env, found, "https://public.ecr.aws", "public.ecr.aws")
	if len(found) != 3 || stderr != "" {
		t.Errorf("the next job found %d credentials, want 3, and on stderr is %q", len(found), stderr)
	}
	wantRequests(t, env, "the next job", nil)
	recordRunner(t, "credsStore")
}

// recordRunner records what the runner's package did.
func recordRunner(t *testing.T, did ...string) {
	t.Helper()
	record(t, "GitLab Runner's resolution, by docker/cli's NativeStore", moduleVersion(t, "github.com/docker/cli"), did...)
}

// After an error other than "not found" the runner would drop all credentials of this source.
func TestGitLabRunnerCredsStoreBrokenRole(t *testing.T) {
	env := onRunner(t)
	env.AWS.Deny("sts:AssumeRole", pullRole)
	found, stderr := runJob(t, env, map[string]any{"credsStore": "ecr-login"})
	if len(found) != 0 {
		t.Errorf("credentials of a role that can't be assumed: %d", len(found))
	}
	if n := strings.Count(stderr, "\n"); n != 2 || strings.Count(stderr, pullRole) < 2 {
		t.Errorf("want a reason for the own registry and one for public ECR on stderr, got %q", stderr)
	}
	recordRunner(t, "a denied role")
}

// Two accounts have a role each, and wrapper scripts choose the profile. Before the registry map
// there was no other way.
func TestGitLabRunnerCredHelpersOneBroken(t *testing.T) {
	const (
		brokenRole = "arn:aws:iam::333333333333:role/pull"
		healthyKey = pullHost + "/team/app" // a key may have a path
		brokenKey  = sharedHost
	)
	env := onRunner(t)
	env.AWS.AddRole(awstest.Role{ARN: brokenRole}) // trusts no principal
	var profiles strings.Builder
	for name, role := range map[string]string{"healthy": pullRole, "broken": brokenRole} {
		fmt.Fprintf(&profiles, "[%s]\nrole_arn=%s\ncredential_source=Ec2InstanceMetadata\nregion=ap-south-1\n", name, role)
		script := "bin/docker-credential-ecr-" + name
		env.Write(t, script, fmt.Sprintf("#!/bin/sh\nAWS_PROFILE=%s exec %s \"$@\"\n", name, testenv.Name))
		testenv.Must(t, os.Chmod(filepath.Join(env.Home, script), 0o700))
	}
	env.Write(t, ".aws/credentials", profiles.String())
	env.Set("PATH=" + filepath.Join(env.Home, "bin") + ":" + filepath.Dir(testenv.Binary(t)))
	config := map[string]any{"credHelpers": map[string]string{healthyKey: "ecr-healthy", brokenKey: "ecr-broken"}}

	found, stderr := runJob(t, env, config)
	wantCredentials(t, env, found, healthyKey, pullHost)
	if auth := found[brokenKey]; auth.Username != "" || auth.Password != "" {
		t.Errorf("%s: credentials of a role that can't be assumed, for user %q", brokenKey, auth.Username)
	}
	wantReason(t, stderr, brokenRole)
	recordRunner(t, "credHelpers, one role broken")
}

// Ten registries in three accounts, as entries of the registry map: the runner's own account by
// host, the others by account and region.
const tenRegistries = `
[[registry]]
host = "111111111111.dkr.ecr.ap-south-1.amazonaws.com"
[[registry]]
host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
[[registry]]
host = "111111111111.dkr.ecr.eu-central-1.amazonaws.com"
[[registry]]
host = "111111111111.dkr.ecr.us-east-1.amazonaws.com"

[[registry]]
accounts = ["222222222222", "333333333333"]
regions = ["ap-south-1", "eu-west-1", "us-east-1"]
role_arn = "arn:aws:iam::{account}:role/pull"
`

const partnerRole = "arn:aws:iam::333333333333:role/pull"

// onMappedRunner returns an Env on an EC2 instance whose role may assume the pull roles of two
// other accounts.
func onMappedRunner(t *testing.T) *testenv.Env {
	t.Helper()
	env := onRunner(t)
	env.AWS.AddRole(awstest.Role{ARN: partnerRole, Trusts: []string{runnerRole}})
	testenv.Must(t, os.Remove(filepath.Join(env.Home, ".aws/credentials")))
	env.Write(t, ".ecr/config.toml", tenRegistries)
	return env
}

// The runner lists and gets all registries of a map, with an empty cache and again. A list makes no
// requests, and a get makes the necessary ones.
func TestGitLabRunnerMap(t *testing.T) {
	env := onMappedRunner(t)
	config := map[string]any{"credsStore": "ecr-login"}
	for _, pass := range []struct {
		name string
		want map[string]int
	}{
		{"cold", map[string]int{
			"imds:token": 10, "imds:roles": 10, "imds:credentials": 10,
			"sts:AssumeRole": 6, "ecr:GetAuthorizationToken": 10,
		}},
		{"warm", nil},
	} {
		found, stderr := runJob(t, env, config)
		if len(found) != 10 || stderr != "" {
			t.Errorf("%s: %d credentials, want 10, and on stderr is %q", pass.name, len(found), stderr)
		}
		for key := range found {
			wantCredentials(t, env, found, key, strings.TrimPrefix(key, "https://"))
		}
		wantRequests(t, env, pass.name, pass.want)
	}
}

// A role that can't be assumed affects its own registries alone.
func TestGitLabRunnerMapOneBroken(t *testing.T) {
	env := onMappedRunner(t)
	env.AWS.Deny("sts:AssumeRole", partnerRole)
	found, stderr := runJob(t, env, map[string]any{"credsStore": "ecr-login"})
	healthy := 0
	for key, auth := range found {
		host := strings.TrimPrefix(key, "https://")
		if strings.HasPrefix(host, "333333333333.") {
			if auth.Password != "" {
				t.Errorf("%s: credentials of a role that can't be assumed", key)
			}
			continue
		}
		wantCredentials(t, env, found, key, host)
		healthy++
	}
	if healthy != 7 {
		t.Errorf("credentials for %d healthy registries, want 7", healthy)
	}
	if lines := strings.Count(stderr, "\n"); lines != 3 || strings.Count(stderr, "may not assume "+partnerRole) != 3 {
		t.Errorf("want the reason for each of three registries on stderr, got %q", stderr)
	}
	recordRunner(t, "ten registries in three accounts, one role broken")
}
