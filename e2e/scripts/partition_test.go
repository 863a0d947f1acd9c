package scripts

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// assumeRole holds the ways to assume a role: each function makes the helper assume it for a host.
var assumeRole = map[string]func(t *testing.T, env *testenv.Env, host, role string){
	"profile": func(t *testing.T, env *testenv.Env, _, role string) {
		env.Write(t, ".aws/config", "[profile base]\naws_access_key_id = "+testenv.KeyID+"\naws_secret_access_key = "+testenv.Secret+
			"\n[default]\nsource_profile = base\nrole_arn = "+role)
	},
	"process": func(t *testing.T, env *testenv.Env, _, role string) {
		env.Write(t, ".aws/config", `[profile base]
credential_process = printf '{"Version":1,"AccessKeyId":"`+testenv.KeyID+`","SecretAccessKey":"`+testenv.Secret+`"}'
[default]
source_profile = base
role_arn = `+role)
	},
	"map": func(t *testing.T, env *testenv.Env, host, role string) {
		env.Set("AWS_ACCESS_KEY_ID="+testenv.KeyID, "AWS_SECRET_ACCESS_KEY="+testenv.Secret)
		env.Write(t, ".ecr/config.toml", mapEntry(host, role))
	},
	"web identity": func(t *testing.T, env *testenv.Env, _, role string) {
		env.Set("AWS_ROLE_ARN="+role, "AWS_WEB_IDENTITY_TOKEN_FILE="+writeJobToken(t, env))
	},
	"map's web identity": func(t *testing.T, env *testenv.Env, host, role string) {
		env.Write(t, ".ecr/config.toml", mapEntry(host, role)+"web_identity_token_file = \""+writeJobToken(t, env)+"\"\n")
	},
}

func mapEntry(host, role string) string {
	return "[[registry]]\nhost = \"" + host + "\"\nrole_arn = \"" + role + "\"\n"
}

// writeJobToken writes the web identity token of a job and returns the path of the file.
func writeJobToken(t *testing.T, env *testenv.Env) string {
	t.Helper()
	env.Write(t, "token", workload("ci").Token(time.Now().Add(time.Hour)))
	return filepath.Join(env.Home, "token")
}

// A role exists in one partition. If the configured region is of another partition, STS is called
// in the registry's region, however the role is assumed.
func TestPartitions(t *testing.T) {
	for _, c := range []struct{ id, region, suffix, configured string }{
		{"aws", "eu-west-1", "amazonaws.com", "cn-north-1"},
		{"aws-us-gov", "us-gov-west-1", "amazonaws.com", "eu-west-1"},
		{"aws-cn", "cn-northwest-1", "amazonaws.com.cn", "eu-west-1"},
		{"aws-eusc", "eusc-de-east-1", "amazonaws.eu", "eu-west-1"},
		{"aws-iso", "us-iso-east-1", "c2s.ic.gov", "us-east-1"},
		{"aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov", "us-iso-east-1"},
		{"aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk", "eu-west-1"},
		{"aws-iso-f", "us-isof-south-1", "csp.hci.ic.gov", "us-gov-west-1"},
	} {
		for way, configure := range assumeRole {
			t.Run(c.id+"/"+way, func(t *testing.T) {
				host := "222222222222.dkr.ecr." + c.region + "." + c.suffix
				user, role := "arn:"+c.id+":iam::111111111111:user/ci", "arn:"+c.id+":iam::222222222222:role/pull"
				env := testenv.New(t)
				env.AWS.AddUser(user, testenv.KeyID, testenv.Secret)
				env.AWS.AddRole(awstest.Role{ARN: role, Trusts: []string{user}, WebIdentity: workload("ci")})
				env.Set("AWS_REGION=" + c.configured)
				configure(t, env, host, role)
				env.Password(t, host)
				session := "arn:" + c.id + ":sts::222222222222:assumed-role/pull/"
				if r := env.Run(t, "whoami "+host, ""); !strings.Contains(r.Stdout, session) {
					t.Errorf("whoami: %q, %q; want %s", r.Stdout, r.Stderr, session)
				}
				if r := env.Run(t, "doctor "+host, ""); !strings.Contains(r.Stdout, session) || !strings.Contains(r.Stdout, " token ") {
					t.Errorf("doctor: %q; want %s", r.Stdout, session)
				}
				calls := map[string]int{}
				for _, r := range env.AWS.Requests() {
					if calls[r.Action]++; r.Region != "" && r.Region != c.region {
						t.Errorf("%s is called in %s", r.Action, r.Region)
					}
				}
				if calls["sts:GetCallerIdentity"] != 2 || calls["ecr:GetAuthorizationToken"] != 2 {
					t.Errorf("calls: %v", calls)
				}
			})
		}
	}
}
