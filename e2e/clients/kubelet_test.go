package clients

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// The kubelet's own code gets credentials with the files of docs/kubernetes.md.
func TestKubelet(t *testing.T) {
	path, version := built(t, "kubelet")
	env := onRunner(t)
	for _, file := range []string{"credential-provider.yaml", "service-accounts.yaml"} {
		text := string(testenv.ReadFile(t, filepath.Join(testenv.Root(), "testdata/kubernetes", file)))
		env.Write(t, file, strings.Replace(text, "/var/lib/ecr-login", filepath.Join(env.Home, "tokens"), 1))
	}
	bin := filepath.Dir(testenv.Binary(t))
	// lookup returns the principals of the tokens that the kubelet gets for images, in any order,
	// and its log. Arguments that begin with a dash are flags, and come first.
	lookup := func(config string, args ...string) (principals []string, log string) {
		t.Helper()
		flags := 0
		for flags < len(args) && strings.HasPrefix(args[flags], "-") {
			flags++
		}
		argv := slices.Concat([]string{"kubelet"}, args[:flags], []string{filepath.Join(env.Home, config), bin}, args[flags:])
		out, err := run(t, env, nil, path, argv...)
		if err != nil {
			t.Fatalf("%v: %v, %s", argv, err, out.stderr)
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

	who, _ := lookup("credential-provider.yaml", imageRef)
	wantRole(who, 1, "pull")
	wantRequests(t, env, "a node's first pull", coldGet)
	who, _ = lookup("credential-provider.yaml", imageRef)
	wantRole(who, 1, "pull")
	wantRequests(t, env, "a pull after a restart of the kubelet", nil)
	if who, _ := lookup("credential-provider.yaml", "docker.io/library/busybox"); len(who) != 0 {
		t.Errorf("credentials of %s for another registry", who)
	}

	// The kubelet starts the provider for each image that it pulls at the same time.
	testenv.Must(t, os.RemoveAll(filepath.Join(env.Home, "tokens")))
	who, _ = lookup("credential-provider.yaml", testenv.Host+"/a", testenv.Host+"/b", testenv.Host+"/c:1", testenv.Host+"/d:2")
	wantRole(who, 4, "pull")
	wantRequests(t, env, "the first pulls of a node, all at once", coldGet)

	const pod = "arn:aws:iam::222222222222:role/cart-pull"
	cart := awstest.WebIdentity{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:cart", Audience: "sts.amazonaws.com"}
	env.AWS.AddRole(awstest.Role{ARN: pod, WebIdentity: &cart})
	who, _ = lookup("service-accounts.yaml", "-token="+cart.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	wantRole(who, 1, "cart-pull")
	wantRequests(t, env, "a service account's first pull", map[string]int{"sts:AssumeRoleWithWebIdentity": 1, "ecr:GetAuthorizationToken": 1})
	// On a node of EKS, where the helper replaces AWS's provider.
	eks := filepath.Join(env.Home, "eks")
	testenv.Must(t, os.Mkdir(eks, 0o755))
	testenv.Must(t, os.Symlink(testenv.Binary(t), filepath.Join(eks, "ecr-credential-provider")))
	env.Write(t, "eks.yaml", strings.Replace(string(testenv.ReadFile(t, filepath.Join(env.Home, "service-accounts.yaml"))), "name: "+testenv.Name, "name: ecr-credential-provider", 1))
	bin = eks
	who, _ = lookup("eks.yaml", "-token="+cart.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	wantRole(who, 1, "cart-pull")
	wantRequests(t, env, "the same on a node of EKS", nil)
	bin = filepath.Dir(testenv.Binary(t))
	thief := cart
	thief.Subject = "system:serviceaccount:shop:thief"
	who, log := lookup("service-accounts.yaml", "-token="+thief.Token(time.Now().Add(time.Hour)), "-role="+pod, imageRef)
	if len(who) != 0 || !strings.Contains(log, "may not assume "+pod) {
		t.Errorf("a service account that isn't trusted gets the token of %q; the kubelet's log is %s", who, log)
	}
	record(t, "kubelet, its plugin code", version, "a node's pull", "a node's first pulls at once", "a service account's role", "a denied role", "another registry")
}
