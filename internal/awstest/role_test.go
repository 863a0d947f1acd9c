package awstest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"docker-credential-ecr-login/internal/awstest"
)

func TestAssumeRoleRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		role awstest.Role
		deny string
	}{
		{"no such role", awstest.Role{ARN: "arn:aws:iam::222222222222:role/other", Trusts: []string{userARN}}, ""},
		{"not trusted", awstest.Role{ARN: pullARN, Trusts: []string{runnerARN, "arn:aws:iam::333333333333:root"}}, ""},
		{"no external ID", awstest.Role{ARN: pullARN, Trusts: []string{userARN}, ExternalID: "x-1"}, ""},
		{"denied to the caller", awstest.Role{ARN: pullARN, Trusts: []string{userARN}}, userARN},
		{"denied for the role", awstest.Role{ARN: pullARN, Trusts: []string{userARN}}, pullARN},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			srv.AddRole(tt.role)
			if tt.deny != "" {
				srv.Deny("sts:AssumeRole", tt.deny)
			}
			code, message := refused(t, assuming(load(t, srv, "eu-west-1"), pullARN))
			const want = "User: " + userARN + " is not authorized to perform: sts:AssumeRole on resource: " + pullARN
			if code != "AccessDenied" || message != want {
				t.Errorf("%s: %s", code, message)
			}
			if got := srv.Requests()[0]; got.Status != 403 || got.Principal != userARN || got.TargetRole != pullARN {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}

func TestExternalID(t *testing.T) {
	srv := newServer(t)
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{userARN}, ExternalID: "x-1"})
	with := func(id string) aws.Config {
		return assuming(load(t, srv, "eu-west-1"), pullARN, func(o *stscreds.AssumeRoleOptions) { o.ExternalID = &id })
	}
	password(t, with("x-1"))
	if code, _ := refused(t, with("x-2")); code != "AccessDenied" {
		t.Errorf("with the wrong external ID: %s", code)
	}
}

func TestRoleChain(t *testing.T) {
	srv := newServer(t)
	const last = "arn:aws:iam::333333333333:role/team/last"
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{userARN}})
	srv.AddRole(awstest.Role{ARN: last, Trusts: []string{pullARN}})
	first := assuming(load(t, srv, "eu-west-1"), pullARN)
	cfg := assuming(first, last, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "me" })
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *out.Arn != "arn:aws:sts::333333333333:assumed-role/last/me" || *out.Account != "333333333333" || !strings.HasSuffix(*out.UserId, ":me") {
		t.Errorf("identity %s, %s, %s", *out.Arn, *out.Account, *out.UserId)
	}
	long := assuming(first, last, func(o *stscreds.AssumeRoleOptions) { o.Duration = 2 * time.Hour })
	if code, _ := refused(t, long); code != "ValidationError" {
		t.Errorf("two hours in a chain: %s", code)
	}
}

func TestDeniedToken(t *testing.T) {
	srv := newServer(t)
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{userARN}})
	cfg := assuming(load(t, srv, "eu-west-1"), pullARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "job" })
	srv.Deny("ecr:GetAuthorizationToken", pullARN)
	code, message := refused(t, cfg)
	if code != "AccessDeniedException" || !strings.HasPrefix(message, "User: arn:aws:sts::222222222222:assumed-role/pull/job is not authorized to perform: ecr:GetAuthorizationToken on resource: *") {
		t.Errorf("%s: %s", code, message)
	}
	srv.Allow("ecr:GetAuthorizationToken", pullARN)
	password(t, cfg)
}

func TestWebIdentity(t *testing.T) {
	good := awstest.WebIdentity{Issuer: "https://oidc.example", Subject: "system:serviceaccount:ci:builder", Audience: "sts.amazonaws.com"}
	another := func(change func(*awstest.WebIdentity)) awstest.WebIdentity {
		w := good
		change(&w)
		return w
	}
	hour := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name  string
		token string
		code  string // "" is success
	}{
		{"good", good.Token(hour), ""},
		{"expired", good.Token(time.Now().Add(-time.Minute)), "ExpiredTokenException"},
		{"other issuer", another(func(w *awstest.WebIdentity) { w.Issuer = "https://evil.example" }).Token(hour), "InvalidIdentityToken"},
		{"other audience", another(func(w *awstest.WebIdentity) { w.Audience = "vault" }).Token(hour), "InvalidIdentityToken"},
		{"other subject", another(func(w *awstest.WebIdentity) { w.Subject = "system:serviceaccount:ci:other" }).Token(hour), "AccessDenied"},
		{"no JWT", "nonsense", "InvalidIdentityToken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			srv.AddRole(awstest.Role{ARN: pullARN, WebIdentity: &good})
			file := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(file, []byte(tt.token), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
			t.Setenv("AWS_ROLE_ARN", pullARN)
			cfg := load(t, srv, "eu-west-1", byChain)
			if tt.code == "" {
				password(t, cfg)
				return
			}
			if code, message := refused(t, cfg); code != tt.code {
				t.Errorf("%s: %s, want %s", code, message, tt.code)
			}
		})
	}
}
