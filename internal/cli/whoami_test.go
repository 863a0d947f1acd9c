package cli

import (
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/awstest"
	"docker-credential-ecr-login/internal/credhelper"
)

func TestWhoami(t *testing.T) {
	cloud, err := awstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	const user, key = "arn:aws:iam::222222222222:user/ci", "AKIAIOSFODNN7EXAMPLE"
	cloud.AddUser(user, key, "secret")
	run := func(typed string) (int, string) {
		p, stdout, stderr := newProcess(t, "whoami", typed)
		for name, value := range map[string]string{ // AWS's SDK reads the real environment
			"HOME": p.Home, "AWS_ENDPOINT_URL": cloud.EndpointURL(),
			"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret",
		} {
			t.Setenv(name, value)
			p.Env = append(p.Env, name+"="+value)
		}
		status := Main(p, "v0", credhelper.Dependencies{})
		return status, stdout.String() + stderr.String()
	}
	for _, typed := range []string{host, "https://" + host + "/app:1"} {
		status, got := run(typed)
		if want := host + ": " + user + " (environment keys)\n"; status != 0 || got != want {
			t.Errorf("%s: %d, %q; want %q", typed, status, got, want)
		}
	}
	cloud.Fail("sts:GetCallerIdentity", awstest.Fault{Status: 403, Code: "InvalidClientTokenId"})
	status, got := run(host)
	if want := program + ": whoami: " + host + ": "; status != 1 || !strings.HasPrefix(got, want) {
		t.Errorf("refused: %d, %q; want %q", status, got, want)
	}
}
