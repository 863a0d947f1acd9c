package scripts

import (
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// Most machines aren't EC2 instances. So if no setting names the metadata service, the helper tries
// each of its two versions once. If a profile names the service, or the kubelet runs the helper,
// the SDK retries as usual.
func TestMetadataRetries(t *testing.T) {
	reset := awstest.Fault{Reset: true}

	env := testenv.New(t)
	env.AWS.Fail("imds:*", reset)
	if r := env.Run(t, "get", testenv.Host); r.Status != 1 {
		t.Errorf("get: status %d", r.Status)
	}
	mustCount(t, env, map[string]int{"imds:token": 1, "imds:roles": 1})

	unwell := func(env *testenv.Env) {
		env.AWS.Fail("imds:token", awstest.Fault{Status: 503, Times: 2})
		env.AWS.Fail("imds:roles", awstest.Fault{Status: 503, Times: 1})
	}
	env = testenv.OnInstance(t)
	unwell(env)
	env.Password(t, testenv.Host)

	env = testenv.New(t)
	env.AWS.SetInstanceRole(testenv.RunnerRole)
	unwell(env)
	if r := env.Run(t, "kubelet", testenv.KubeletRequest(testenv.Host+"/app")); r.Status != 0 {
		t.Errorf("kubelet: status %d, %s", r.Status, r.Stderr)
	}
}
