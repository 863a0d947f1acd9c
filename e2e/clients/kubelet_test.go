package clients

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// The kubelet's own code finds credentials by the files of docs/kubernetes.md.
func TestKubelet(t *testing.T) {
	path, version := built(t, "kubelet")
	l := onRunner(t)
	for _, file := range []string{"credential-provider.yaml", "service-accounts.yaml"} {
		text := string(read(t, filepath.Join(root(), "testdata/kubernetes", file)))
		l.Write(t, file, strings.Replace(text, "/var/lib/ecr-login", filepath.Join(l.Home, "tokens"), 1))
	}
	// asks returns whose token the kubelet gets for an image, empty where it gets none.
	asks := func(config, image string, account ...string) (principal, log string) {
		t.Helper()
		args := append([]string{"kubelet", filepath.Join(l.Home, config), filepath.Dir(lab.Binary(t)), image}, account...)
		out, err := run(t, l, nil, path, args...)
		if err != nil {
			t.Fatalf("%v: %v, %s", args, err, out.stderr)
		}
		if out.stdout == "" {
			return "", out.stderr
		}
		user, password, _ := strings.Cut(strings.TrimSpace(out.stdout), " ")
		host, _, _ := strings.Cut(image, "/")
		principal, err = l.Cloud.VerifyToken(password, host)
		if err != nil || user != "AWS" {
			t.Errorf("%s: user %q, %v", image, user, err)
		}
		return principal, out.stderr
	}
	wantRole := func(got, role string) {
		t.Helper()
		if !strings.Contains(got, ":assumed-role/"+role+"/") {
			t.Errorf("the token is that of %q, want %s", got, role)
		}
	}

	who, _ := asks("credential-provider.yaml", trialRef)
	wantRole(who, "pull")
	wantRequests(t, l, "a node's first pull", coldGet)
	who, _ = asks("credential-provider.yaml", trialRef)
	wantRole(who, "pull")
	wantRequests(t, l, "one after the kubelet's restart", nil)
	if who, _ := asks("credential-provider.yaml", "docker.io/library/busybox"); who != "" {
		t.Errorf("credentials of %s for another registry", who)
	}

	const pod = "arn:aws:iam::222222222222:role/cart-pull"
	cart := standin.WebIdentity{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:cart", Audience: "sts.amazonaws.com"}
	l.Cloud.AddRole(standin.Role{ARN: pod, WebIdentity: &cart})
	who, _ = asks("service-accounts.yaml", trialRef, cart.Token(time.Now().Add(time.Hour)), pod)
	wantRole(who, "cart-pull")
	wantRequests(t, l, "a service account's first pull", map[string]int{"sts:AssumeRoleWithWebIdentity": 1, "ecr:GetAuthorizationToken": 1})
	thief := cart
	thief.Subject = "system:serviceaccount:shop:thief"
	who, log := asks("service-accounts.yaml", trialRef, thief.Token(time.Now().Add(time.Hour)), pod)
	if who != "" || !strings.Contains(log, "may not assume "+pod) {
		t.Errorf("a service account that isn't trusted gets the token of %q; the kubelet's log is %s", who, log)
	}
	record(t, "kubelet, its plugin code", version, "a node's pull", "a service account's role", "a denied role", "another registry")
}
