package scripts

import (
	"slices"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/registry"
)

// The form of a registry's host chooses the endpoint of ECR. The proxy records to which host the
// SDK connects. No variable that would choose an endpoint is set.
func TestEndpoints(t *testing.T) {
	for _, row := range registryForms(t) {
		host, endpoint := row[0], row[5]
		t.Run(host, func(t *testing.T) {
			want := row[2]
			if want == "" {
				want = "us-east-1"
			}
			env := testenv.WithKeys(t)
			env.AWS.AddUser("arn:"+registry.Partition(want)+":iam::111122223333:user/ci", testenv.KeyID, testenv.Secret)
			env.Password(t, host)
			mustConnect(t, env, endpoint)
			for _, r := range env.AWS.Requests() {
				if r.Region != want {
					t.Errorf("%s is signed for %q, want %q", r.Action, r.Region, want)
				}
			}
		})
	}
}

// registryForms returns the rows of testdata/registries.txt. The file describes its columns.
func registryForms(t *testing.T) [][]string {
	t.Helper()
	text := testenv.ReadFile(t, "../../testdata/registries.txt")
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, row)
	}
	if len(rows) < 16 {
		t.Errorf("there are only %d forms of host", len(rows))
	}
	return rows
}

func mustConnect(t *testing.T, env *testenv.Env, hosts ...string) {
	t.Helper()
	if got, want := connects(env), slices.Sorted(slices.Values(hosts)); !slices.Equal(got, want) {
		t.Errorf("connected to %q, want %q", got, want)
	}
}

// connects returns the hosts that were connected to, sorted and without duplicates. Connections are
// opened in parallel, and the SDK may open a second one to a host.
func connects(env *testenv.Env) []string {
	return slices.Compact(slices.Sorted(slices.Values(env.AWS.Connects())))
}

// An endpoint that the user sets works with hosts and variables that choose FIPS or dual-stack. The
// SDK by itself refuses the combination.
func TestOwnEndpoint(t *testing.T) {
	for _, host := range []string{
		"111111111111.dkr.ecr-fips.us-east-1.amazonaws.com",
		"111111111111.dkr-ecr-fips.us-east-1.on.aws",
	} {
		env := testenv.WithKeys(t)
		env.Set("AWS_ENDPOINT_URL_ECR=" + env.AWS.EndpointURL())
		env.Password(t, host)
		env.Set("AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true")
		env.Password(t, host)
		mustConnect(t, env)
		mustCount(t, env, map[string]int{"ecr:GetAuthorizationToken": 2})
	}
}

// Public ECR has no FIPS endpoint.
func TestPublicIsNeverFIPS(t *testing.T) {
	env := testenv.WithKeys(t)
	env.Set("AWS_USE_FIPS_ENDPOINT=true")
	env.Password(t, "public.ecr.aws")
	mustConnect(t, env, "api.ecr-public.us-east-1.amazonaws.com")
}

// STS is called in the configured region, or in the registry's region if none is configured.
func TestRegionOfSTS(t *testing.T) {
	env := testenv.OnInstance(t)
	env.Password(t, "222222222222.dkr.ecr.eu-west-1.amazonaws.com")
	mustConnect(t, env, "sts.ap-south-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com")

	env = testenv.OnInstance(t)
	env.Write(t, ".aws/credentials", "[default]\nrole_arn="+testenv.PullRole+"\ncredential_source=Ec2InstanceMetadata\n")
	env.Password(t, "222222222222.dkr.ecr.eu-west-1.amazonaws.com")
	mustConnect(t, env, "sts.eu-west-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com")
	env.Password(t, "public.ecr.aws")
	mustConnect(t, env, "sts.eu-west-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com",
		"sts.us-east-1.amazonaws.com", "api.ecr-public.us-east-1.amazonaws.com")
}
