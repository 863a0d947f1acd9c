package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// The kubelet's own code finds credentials by the files of docs/kubernetes.md.
func TestKubelet(t *testing.T) {
	path, version := built(t, "kubelet")
	env := onRunner(t)
	for _, file := range []string{"credential-provider.yaml", "service-accounts.yaml"} {
		text := string(read(t, filepath.Join(testenv.Root(), "testdata/kubernetes", file)))
		env.Write(t, file, strings.Replace(text, "/var/lib/ecr-login", filepath.Join(env.Home, "tokens"), 1))
	}
	bin := filepath.Dir(testenv.Binary(t))
	// asks returns whose tokens the kubelet gets for images, in no order, and its log. What
	// begins with a dash goes before the images.
	asks := func(config string, words ...string) (principals []string, log string) {
		t.Helper()
		flags := 0
		for flags < len(words) && strings.HasPrefix(words[flags], "-") {
			flags++
		}
		args := append([]string{"kubelet"}, words[:flags]...)
		args = append(args, filepath.Join(env.Home, config), bin)
		args = append(args, words[flags:]...)
		out, err := run(t, env, nil, path, args...)
		if err != nil {
			t.Fatalf("%v: %v, %s", args, err, out.stderr)
		}
		for line := range strings.Lines(out.stdout) {
			words := strings.Fields(line)
			if len(words) != 3 || words[1] != "AWS" {
				t.Fatalf("%d words in a line about %s", len(words), words[0])
			}
			host, _, _ := strings.Cut(words[0], "/")
			who, err := env.AWS.VerifyToken(words[2], host)
			if err != nil {
				t.Errorf("%s: %v", words[0], err)
			}
			principals = append(principals, who)
		}
		return principals, out.stderr
	}
	wantRole := func(got []string, n int, role string) {
		t.Helper()
		if len(got) != n {
			t.Errorf("%d answers, want %d", len(got), n)
		}
		for _, who := range got {
			if !strings.Contains(who, ":assumed-role/"+role+"/") {
				t.Errorf("the token is that of %q, want %s", who, role)
			}
		}
	}

	who, _ := asks("credential-provider.yaml", imageRef)
	wantRole(who, 1, "pull")
	wantRequests(t, env, "a node's first pull", coldGet)
	who, _ = asks("credential-provider.yaml", imageRef)
	wantRole(who, 1, "pull")
	wantRequests(t, env, "a pull after a restart of the kubelet", nil)
	if who, _ := asks("credential-provider.yaml", "docker.io/library/busybox"); len(who) != 0 {
		t.Errorf("credentials of %s for another registry", who)
	}

	// The kubelet starts the provider for each image that is wanted at the same time.
	testenv.Must(t, os.RemoveAll(filepath.Join(env.Home, "tokens")))
	who, _ = asks("credential-provider.yaml", testenv.Host+"/a", testenv.Host+"/b", testenv.Host+"/c:1", testenv.Host+"/d:2")
	wantRole(who, 4, "pull")
	wantRequests(t, env, "the first pulls of a node, all at once", coldGet)

	const pod = "arn:aws:iam::222222222222:role/cart-pull"
	cart := awstest.WebIdentity{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:cart", Audience: "sts.amazonaws.com"}
	env.AWS.AddRole(awstest.Role{ARN: pod, WebIdentity: &cart})
	who, _ = asks("service-accounts.yaml", "-token="+cart.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	wantRole(who, 1, "cart-pull")
	wantRequests(t, env, "a service account's first pull", map[string]int{"sts:AssumeRoleWithWebIdentity": 1, "ecr:GetAuthorizationToken": 1})
	// On a node of EKS, where it stands in the place of AWS's own.
	eks := filepath.Join(env.Home, "eks")
	testenv.Must(t, os.Mkdir(eks, 0o755))
	if err := os.Symlink(testenv.Binary(t), filepath.Join(eks, "ecr-credential-provider")); err != nil {
		t.Fatal(err)
	}
	env.Write(t, "eks.yaml", strings.Replace(string(read(t, filepath.Join(env.Home, "service-accounts.yaml"))), "name: "+testenv.Name, "name: ecr-credential-provider", 1))
	bin = eks
	who, _ = asks("eks.yaml", "-token="+cart.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	wantRole(who, 1, "cart-pull")
	wantRequests(t, env, "the same on a node of EKS", nil)
	bin = filepath.Dir(testenv.Binary(t))
	thief := cart
	thief.Subject = "system:serviceaccount:shop:thief"
	who, log := asks("service-accounts.yaml", "-token="+thief.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	if len(who) != 0 || !strings.Contains(log, "may not assume "+pod) {
		t.Errorf("a service account that isn't trusted gets the token of %q; the kubelet's log is %s", who, log)
	}
	record(t, "kubelet, its plugin code", version, "a node's pull", "a node's first pulls at once", "a service account's role", "a denied role", "another registry")
}
