package scripts

import (
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// Most machines aren't EC2 instances: where nothing names the metadata service,
// it is tried once, in its second version and in its first. Where a profile
// names it, or the kubelet asks, it is known to be there and gets the SDK's patience.
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
	node := `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + testenv.Host + `/app"}`
	if r := env.Run(t, "kubelet", node); r.Status != 0 {
		t.Errorf("kubelet: status %d, %s", r.Status, r.Stderr)
	}
}
