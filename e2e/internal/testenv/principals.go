package testenv

import (
	"os"
	"path/filepath"
	"testing"

	"docker-credential-ecr-login/internal/awstest"
)

// Who and what most tests are about.
const (
	RunnerRole = "arn:aws:iam::111111111111:role/runner"
	PullRole   = "arn:aws:iam::222222222222:role/pull"
	UserARN    = "arn:aws:iam::111111111111:user/ci"

	KeyID  = "AKIAIOSFODNN7EXAMPLE"
	Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

	Host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"
)

// WithKeys is an Env with an IAM user's keys in the environment. The user may read the
// registry of Host.
func WithKeys(t testing.TB) *Env {
	t.Helper()
	e := New(t)
	e.AWS.AddUser(UserARN, KeyID, Secret)
	e.AWS.Grant("222222222222", UserARN)
	e.Set("AWS_ACCESS_KEY_ID="+KeyID, "AWS_SECRET_ACCESS_KEY="+Secret)
	return e
}

// OnInstance is an Env on an EC2 instance whose role may assume PullRole, set up as the docs
// set up a runner.
func OnInstance(t testing.TB) *Env {
	t.Helper()
	e := New(t)
	e.AWS.AddRole(awstest.Role{ARN: RunnerRole})
	e.AWS.AddRole(awstest.Role{ARN: PullRole, Trusts: []string{RunnerRole}})
	e.AWS.SetInstanceRole(RunnerRole)
	text, err := os.ReadFile(filepath.Join(Root(), "testdata/gitlab-runner/credentials"))
	if err != nil {
		t.Fatal(err)
	}
	e.Write(t, ".aws/credentials", string(text))
	return e
}
