package scripts

import (
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// An AWS file can be a pipe, which can be read once. The helper reads it once, whatever region is
// configured, and treats its text like that of a file.
func TestPipe(t *testing.T) {
	for name, variables := range map[string][]string{
		"no region":        nil,
		"another one":      {"AWS_REGION=cn-north-1"},
		"a profile":        {"AWS_DEFAULT_PROFILE=dev"},
		"no instance":      {"AWS_EC2_METADATA_DISABLED=1"},
		"a role of a role": {"AWS_ECR_ROLE_ARN=" + testenv.PullRole},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := testenv.New(t)
			env.AWS.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
			env.AWS.Grant("222222222222", testenv.UserARN)
			env.AWS.AddRole(awstest.Role{ARN: testenv.RunnerRole})
			env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN, testenv.RunnerRole}})
			env.AWS.SetInstanceRole(testenv.RunnerRole)
			const keys = "aws_access_key_id = " + testenv.KeyID + "\naws_secret_access_key = " + testenv.Secret + "\n"
			env.Write(t, "text", "[default]\n"+keys+"[dev]\n"+keys)
			env.Set(variables...)
			for range 2 { // no token is cached
				password, err := env.Run(t, "get", testenv.Host, "sh", "-c",
					`rm -f pipe; mkfifo pipe; cat text >pipe & AWS_SHARED_CREDENTIALS_FILE=$PWD/pipe exec "$0" "$@"`).Password()
				testenv.Must(t, err)
				want := testenv.UserARN
				if name == "a role of a role" {
					want = pullSession
				}
				mustBeTokenOf(t, env, password, want)
			}
			for _, r := range env.AWS.Requests() {
				if r.Action == "sts:AssumeRole" && r.Principal != testenv.UserARN {
					t.Errorf("%s assumes the role", r.Principal)
				}
				if r.Action == "imds:credentials" {
					t.Error("the instance's credentials are asked for")
				}
			}
		})
	}
}
