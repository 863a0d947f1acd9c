// Package binary tests the built binary through its own front door, against a
// stand-in for AWS, with no address but loopback.
package binary

import (
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

func TestMain(m *testing.M) {
	status := m.Run()
	lab.Clean()
	os.Exit(status)
}

// The people and hosts that the tests share.
const (
	runnerRole = "arn:aws:iam::111111111111:role/runner"
	pullRole   = "arn:aws:iam::222222222222:role/pull"
	userARN    = "arn:aws:iam::111111111111:user/ci"

	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

	host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"
)

// onInstance puts a runner on an EC2 instance whose role may assume pullRole.
func onInstance(t testing.TB) *lab.Lab {
	l := lab.New(t)
	l.Cloud.AddRole(standin.Role{ARN: runnerRole})
	l.Cloud.AddRole(standin.Role{ARN: pullRole, Trusts: []string{runnerRole}})
	l.Cloud.SetInstanceRole(runnerRole)
	text, err := os.ReadFile("../../testdata/gitlab-runner/credentials")
	if err != nil {
		t.Fatal(err)
	}
	l.Write(t, ".aws/credentials", string(text))
	return l
}

// withKeys is a lab with an IAM user's keys in the environment.
func withKeys(t testing.TB) *lab.Lab {
	l := lab.New(t)
	l.Cloud.AddUser(userARN, keyID, secret)
	l.Set("AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret)
	return l
}
