package scripts

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// A role exists in one partition alone: with a region of another configured, STS is asked in the
// registry's, in whichever way the role is assumed.
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
		for _, way := range []string{"profile", "process", "map", "web identity", "map's web identity"} {
			t.Run(c.id+"/"+way, func(t *testing.T) {
				host := "222222222222.dkr.ecr." + c.region + "." + c.suffix
				env := testenv.New(t)
				user, role := "arn:"+c.id+":iam::111111111111:user/ci", "arn:"+c.id+":iam::222222222222:role/pull"
				env.AWS.AddUser(user, testenv.KeyID, testenv.Secret)
				env.AWS.AddRole(awstest.Role{ARN: role, Trusts: []string{user}, WebIdentity: workload("ci")})
				env.Write(t, "token", workload("ci").Token(time.Now().Add(time.Hour)))
				token := filepath.Join(env.Home, "token")
				env.Set("AWS_REGION=" + c.configured)
				keys := []string{"AWS_ACCESS_KEY_ID=" + testenv.KeyID, "AWS_SECRET_ACCESS_KEY=" + testenv.Secret}
				const roleOfProfile = "\n[default]\nsource_profile = base\nrole_arn = "
				ownMap := "[[registry]]\nhost = \"" + host + "\"\nrole_arn = \"" + role + "\"\n"
				switch way {
				case "profile":
					env.Write(t, ".aws/config", "[profile base]\naws_access_key_id = "+testenv.KeyID+"\naws_secret_access_key = "+testenv.Secret+roleOfProfile+role)
				case "process":
					env.Write(t, ".aws/config", `[profile base]`+"\n"+`credential_process = printf '{"Version":1,"AccessKeyId":"`+
						testenv.KeyID+`","SecretAccessKey":"`+testenv.Secret+`"}'`+roleOfProfile+role)
				case "map":
					env.Set(keys...)
					env.Write(t, ".ecr/config.toml", ownMap)
				case "web identity":
					env.Set("AWS_ROLE_ARN="+role, "AWS_WEB_IDENTITY_TOKEN_FILE="+token)
				case "map's web identity":
					env.Write(t, ".ecr/config.toml", ownMap+"web_identity_token_file = \""+token+"\"\n")
				}
				env.Password(t, host)
				session := "arn:" + c.id + ":sts::222222222222:assumed-role/pull/"
				if r := env.Run(t, "whoami "+host, ""); !strings.Contains(r.Stdout, session) {
					t.Errorf("whoami: %q, %q; want %s", r.Stdout, r.Stderr, session)
				}
				if r := env.Run(t, "doctor "+host, ""); !strings.Contains(r.Stdout, session) || !strings.Contains(r.Stdout, " token ") {
					t.Errorf("doctor: %q; want %s", r.Stdout, session)
				}
				asked := map[string]int{}
				for _, r := range env.AWS.Requests() {
					if asked[r.Action]++; r.Region != "" && r.Region != c.region {
						t.Errorf("%s is asked in %s", r.Action, r.Region)
					}
				}
				if asked["sts:GetCallerIdentity"] != 2 || asked["ecr:GetAuthorizationToken"] != 2 {
					t.Errorf("asked were %v", asked)
				}
			})
		}
	}
}
