package scripts

import (
	"slices"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// On a cache miss, the helper connects to STS and ECR while it waits for the metadata service.
func TestConnectionsOpenEarly(t *testing.T) {
	env := testenv.OnInstance(t)
	const stsHost, ecrHost = "sts.ap-south-1.amazonaws.com", "api.ecr.ap-south-1.amazonaws.com"
	want := []string{ecrHost, stsHost}

	env.AWS.Fail("imds:credentials", awstest.Fault{Hang: true})
	env.Set("AWS_ECR_TIMEOUT=2s")
	if r := env.Run(t, "get", testenv.Host); r.Status == 0 {
		t.Error("get succeeds without the metadata service")
	}
	if got := connects(env); !slices.Equal(got, want) {
		t.Errorf("while the metadata service hung, connections were opened to %q, want %q", got, want)
	}
	if env.AWS.Count("sts:AssumeRole")+env.AWS.Count("ecr:GetAuthorizationToken") > 0 {
		t.Error("and requests were made with no credentials to sign them")
	}

	env.AWS.Heal("imds:credentials")
	env.AWS.ResetCounts()
	env.Password(t, testenv.Host)
	if got := connects(env); !slices.Equal(got, want) {
		t.Errorf("a cold get connected to %q, want %q", got, want)
	}

	// With keys, ECR is the only service to call.
	k := testenv.WithKeys(t)
	k.Password(t, testenv.Host)
	if got := connects(k); !slices.Equal(got, []string{ecrHost}) {
		t.Errorf("with keys, a cold get connected to %q, want %q", got, ecrHost)
	}

	// Without credentials, there is nothing to connect to.
	n := testenv.New(t)
	n.Set("AWS_EC2_METADATA_SERVICE_ENDPOINT=" + closed)
	n.Run(t, "get", testenv.Host)
	if got := connects(n); len(got) > 0 {
		t.Errorf("without credentials, a get connected to %q", got)
	}
}
