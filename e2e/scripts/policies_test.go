package scripts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

const gitlabFiles = "../../testdata/gitlab-runner/"

// policy is an IAM policy as the docs have them, with one principal and one condition.
type policy struct {
	Version   string
	Statement []struct {
		Effect    string
		Principal struct{ AWS, Federated string }
		Action    any
		Resource  any
		Condition struct{ StringEquals map[string]string }
	}
}

func readPolicy(t *testing.T, name string) policy {
	t.Helper()
	text, err := os.ReadFile(gitlabFiles + name)
	var p policy
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Version != "2012-10-17" || len(p.Statement) == 0 {
		t.Fatalf("%s: %+v, %v", name, p, err)
	}
	return p
}

// The roles of docs/gitlab-runner.md trust the principals that its other files name. With these
// policies the runner and the job get a token.
func TestRunnerPolicies(t *testing.T) {
	instance, trust := readPolicy(t, "instance-policy.json"), readPolicy(t, "pull-trust.json")
	env := testenv.New(t)
	role, _ := instance.Statement[0].Resource.(string)
	runner := trust.Statement[0].Principal.AWS
	if role != testenv.PullRole || instance.Statement[0].Action != "sts:AssumeRole" {
		t.Errorf("the instance may %v %s", instance.Statement[0].Action, role)
	}
	env.AWS.AddRole(awstest.Role{ARN: runner})
	env.AWS.AddRole(awstest.Role{ARN: role, Trusts: []string{runner}})
	env.AWS.SetInstanceRole(runner)
	text := testenv.ReadFile(t, gitlabFiles+"credentials")
	env.Write(t, ".aws/credentials", string(text))
	env.Password(t, testenv.Host)

	federated := readPolicy(t, "push-trust.json").Statement[0]
	_, issuer, _ := strings.Cut(federated.Principal.Federated, "oidc-provider/")
	job := awstest.WebIdentity{
		Issuer:   "https://" + issuer,
		Subject:  federated.Condition.StringEquals[issuer+":sub"],
		Audience: federated.Condition.StringEquals[issuer+":aud"],
	}
	ci, err := os.ReadFile(gitlabFiles + "gitlab-ci.yml")
	if err != nil || !strings.Contains(string(ci), "aud: "+job.Audience+"\n") {
		t.Errorf("the job's token isn't for %s: %v", job.Audience, err)
	}
	const pushRole = "arn:aws:iam::222222222222:role/push"
	env = testenv.New(t)
	env.AWS.AddRole(awstest.Role{ARN: pushRole, WebIdentity: &job})
	env.Write(t, "id-token", job.Token(time.Now().Add(time.Hour)))
	env.Set("AWS_ROLE_ARN="+pushRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(env.Home, "id-token"))
	env.Password(t, testenv.Host)
	if job.Subject != "project_path:team/app:ref_type:branch:ref:main" {
		t.Errorf("the role trusts %q", job.Subject)
	}
}

// The policies for pull and push allow the actions that ECR's reference lists:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
func TestPolicyActions(t *testing.T) {
	pull := []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
	push := append([]string{"ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"}, pull...)
	for name, want := range map[string][]string{"pull-policy.json": pull, "push-policy.json": push} {
		p := readPolicy(t, name)
		if p.Statement[0].Action != "ecr:GetAuthorizationToken" || p.Statement[0].Resource != "*" {
			t.Errorf("%s: the first statement is %+v", name, p.Statement[0])
		}
		allowed := map[any]bool{}
		for _, action := range p.Statement[1].Action.([]any) {
			allowed[action] = true
		}
		for _, action := range want {
			if !allowed[action] {
				t.Errorf("%s doesn't allow %s", name, action)
			}
		}
		if len(allowed) != len(want) {
			t.Errorf("%s allows %v, want %v", name, allowed, want)
		}
	}
}
