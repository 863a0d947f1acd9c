package testenv

import (
	"path/filepath"
	"testing"

	"docker-credential-ecr-login/internal/awstest"
)

// The principals and the registry that most tests use.
const (
	RunnerRole = "arn:aws:iam::111111111111:role/runner"
	PullRole   = "arn:aws:iam::222222222222:role/pull"
	UserARN    = "arn:aws:iam::111111111111:user/ci"

	KeyID  = "AKIAIOSFODNN7EXAMPLE"
	Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

	Host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

	// RunnerCredentials is the AWS credentials file of the docs, below [Root]: its default profile
	// assumes PullRole as the instance's role.
	RunnerCredentials = "testdata/gitlab-runner/credentials"
)

// WithKeys returns an Env with the keys of an IAM user in the environment. The user may read the
// registry at Host.
func WithKeys(t testing.TB) *Env {
	t.Helper()
	e := New(t)
	e.AWS.AddUser(UserARN, KeyID, Secret)
	e.AWS.Grant("222222222222", UserARN)
	e.Set("AWS_ACCESS_KEY_ID="+KeyID, "AWS_SECRET_ACCESS_KEY="+Secret)
	return e
}

// OnInstance returns an Env on an EC2 instance whose role may assume PullRole, set up as the docs
// set up a runner.
func OnInstance(t testing.TB) *Env {
	t.Helper()
	e := New(t)
	e.AWS.AddRole(awstest.Role{ARN: RunnerRole})
	e.AWS.AddRole(awstest.Role{ARN: PullRole, Trusts: []string{RunnerRole}})
	e.AWS.SetInstanceRole(RunnerRole)
	e.Write(t, ".aws/credentials", string(ReadFile(t, filepath.Join(Root(), RunnerCredentials))))
	return e
}
