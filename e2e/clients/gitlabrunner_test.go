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

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// gitlabRunner finds credentials as GitLab Runner does, which can't be had as a
// module, with the package that it does it with: all the credsStore lists and
// every key of credHelpers verbatim, and after an error none at all.
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

// runJob has the runner find its credentials.
func runJob(t *testing.T, l *lab.Lab, config map[string]any) (found map[string]types.AuthConfig, stderr string) {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	l.Set("DOCKER_AUTH_CONFIG=" + string(text))
	stderr = runProgram(t, l, &found, "gitlab-runner")
	return found, stderr
}

// wantCredentials checks that the runner has credentials under a key, and that
// the registry at host takes them.
func wantCredentials(t *testing.T, l *lab.Lab, found map[string]types.AuthConfig, key, host string) {
	t.Helper()
	auth := found[key]
	if auth.Username != "AWS" {
		t.Errorf("%s: user %q, want AWS", key, auth.Username)
	}
	if _, err := l.Cloud.VerifyToken(auth.Password, host); err != nil {
		t.Errorf("%s: the registry refuses the password: %v", key, err)
	}
}

func TestGitLabRunnerCredsStore(t *testing.T) {
	l := onRunner(t)
	config := map[string]any{"credsStore": "ecr-login"}

	found, stderr := runJob(t, l, config)
	wantCredentials(t, l, found, "https://"+pullHost, pullHost)
	wantCredentials(t, l, found, "https://public.ecr.aws", "public.ecr.aws")
	if len(found) != 2 || stderr != "" {
		t.Errorf("the first job found %d credentials, want 2, and on stderr is %q", len(found), stderr)
	}
	if n := l.Cloud.Count("ecr:GetAuthorizationToken"); n != 1 {
		t.Errorf("the first job asked ECR %d times, want 1", n)
	}

	// The second registry is the other account's. The runner learns of it once it
	// was asked for; the role's one token serves both.
	l.Cloud.ResetCounts()
	l.Password(t, sharedHost)
	found, stderr = runJob(t, l, config)
	wantCredentials(t, l, found, "https://"+pullHost, pullHost)
	wantCredentials(t, l, found, "https://"+sharedHost, sharedHost)
	wantCredentials(t, l, found, "https://public.ecr.aws", "public.ecr.aws")
	if len(found) != 3 || stderr != "" {
		t.Errorf("the next job found %d credentials, want 3, and on stderr is %q", len(found), stderr)
	}
	wantRequests(t, l, "the next job", nil)
}

// An error other than "not found" would have the runner drop the credentials of
// the whole source.
func TestGitLabRunnerCredsStoreBrokenRole(t *testing.T) {
	l := onRunner(t)
	l.Cloud.Deny("sts:AssumeRole", pullRole)
	found, stderr := runJob(t, l, map[string]any{"credsStore": "ecr-login"})
	if len(found) != 0 {
		t.Errorf("credentials of a role that can't be assumed: %d", len(found))
	}
	if n := strings.Count(stderr, "\n"); n != 2 || strings.Count(stderr, pullRole) < 2 {
		t.Errorf("want a reason for the own registry and one for public ECR on stderr, got %q", stderr)
	}
}

// Two accounts with a role each, told apart as people do it today, by wrapper
// scripts that choose the profile.
func TestGitLabRunnerCredHelpersOneBroken(t *testing.T) {
	const (
		brokenRole = "arn:aws:iam::333333333333:role/pull"
		healthyKey = pullHost + "/team/app" // a key may have a path
		brokenKey  = sharedHost
	)
	l := onRunner(t)
	l.Cloud.AddRole(standin.Role{ARN: brokenRole}) // trusts nobody
	var profiles strings.Builder
	for name, role := range map[string]string{"healthy": pullRole, "broken": brokenRole} {
		fmt.Fprintf(&profiles, "[%s]\nrole_arn=%s\ncredential_source=Ec2InstanceMetadata\nregion=ap-south-1\n", name, role)
		script := "bin/docker-credential-ecr-" + name
		l.Write(t, script, fmt.Sprintf("#!/bin/sh\nAWS_PROFILE=%s exec %s \"$@\"\n", name, lab.Name))
		if err := os.Chmod(filepath.Join(l.Home, script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	l.Write(t, ".aws/credentials", profiles.String())
	l.Set("PATH=" + filepath.Join(l.Home, "bin") + ":" + filepath.Dir(lab.Binary(t)))
	config := map[string]any{"credHelpers": map[string]string{healthyKey: "ecr-healthy", brokenKey: "ecr-broken"}}

	found, stderr := runJob(t, l, config)
	wantCredentials(t, l, found, healthyKey, pullHost)
	if auth := found[brokenKey]; auth.Username != "" || auth.Password != "" {
		t.Errorf("%s: credentials of a role that can't be assumed, for user %q", brokenKey, auth.Username)
	}
	wantReason(t, stderr, brokenRole)
}
