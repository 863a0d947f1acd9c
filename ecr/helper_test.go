package ecr_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker-credential-helpers/credentials"

	"docker-credential-ecr-login/ecr"
	"docker-credential-ecr-login/internal/awstest"
)

const (
	host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
	user = "arn:aws:iam::111111111111:user/ci"
)

// start gives the process an environment from nothing, in which AWS is the
// stand-in and the user's keys are known to it.
func start(t *testing.T) *awstest.Server {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that it is restored
			os.Unsetenv(name)
		}
	}
	server, err := awstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.AddUser(user, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ENDPOINT_URL", server.EndpointURL())
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	return server
}

func TestGet(t *testing.T) {
	server := start(t)
	helper := ecr.NewECRHelper(ecr.WithLogger(io.Discard))
	for range 2 {
		name, password, err := helper.Get("https://" + host)
		if err != nil || name != "AWS" {
			t.Fatalf("Get = %q, %v", name, err)
		}
		if _, err := server.VerifyToken(password, host); err != nil {
			t.Error(err)
		}
	}
	if n := server.Count("ecr:GetAuthorizationToken"); n != 1 {
		t.Errorf("two gets made %d calls", n)
	}
	if err := helper.Delete(host); err != nil {
		t.Error(err)
	}
	if _, _, err := helper.Get(host); err != nil || server.Count("ecr:GetAuthorizationToken") != 2 {
		t.Errorf("after Delete: %v, %d calls", err, server.Count("ecr:GetAuthorizationToken"))
	}
}

func TestNotECR(t *testing.T) {
	server := start(t)
	_, _, err := ecr.NewECRHelper().Get("https://index.docker.io/v1/")
	if !credentials.IsErrCredentialsNotFound(err) {
		t.Errorf("Get = %v, want credentials not found", err)
	}
	if len(server.Requests()) != 0 {
		t.Error("AWS was asked")
	}
}

func TestFailureTellsTheReason(t *testing.T) {
	server := start(t)
	server.Deny("ecr:GetAuthorizationToken", user)
	server.Deny("ecr-public:GetAuthorizationToken", user)
	_, _, err := ecr.NewECRHelper().Get(host)
	var failure *ecr.Error
	if !errors.As(err, &failure) || failure.Kind != ecr.Denied || !strings.Contains(err.Error(), host) {
		t.Errorf("Get = %v", err)
	}
	if credentials.IsErrCredentialsNotFound(err) {
		t.Error("a failure is taken for a host that isn't ECR")
	}
	if _, _, err := ecr.NewECRHelper().Get("public.ecr.aws"); !credentials.IsErrCredentialsNotFound(err) {
		t.Errorf("public ECR: %v, want credentials not found", err)
	}
}

func TestContext(t *testing.T) {
	server := start(t)
	server.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, _, err := ecr.NewECRHelper(ecr.WithContext(ctx)).Get(host)
		done <- err
	}()
	if err := server.Await(t.Context(), "ecr:GetAuthorizationToken", 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	// A get that was called off says nothing about AWS.
	server.Heal("ecr:GetAuthorizationToken")
	if _, _, err := ecr.NewECRHelper().Get(host); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	aws := start(t)
	var log lockedBuffer
	helper := ecr.NewECRHelper(ecr.WithLogger(&log))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			server := fmt.Sprintf("%012d.dkr.ecr.eu-west-1.amazonaws.com", i%10)
			if _, _, err := helper.Get(server); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := aws.Count("ecr:GetAuthorizationToken"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if text := log.String(); !strings.Contains(text, "cache:") || strings.Contains(text, "wJalrXUtnFEMI") {
		t.Errorf("the caller's logger got %.300q", text)
	}
	list, err := helper.List()
	if err != nil || list["https://"+host] != "AWS" || len(list) != 12 {
		t.Errorf("List = %v, %v; want ten registries, your own and public ECR", list, err)
	}
}

func TestAdd(t *testing.T) {
	start(t)
	helper := ecr.NewECRHelper()
	if err := helper.Add(&credentials.Credentials{ServerURL: host}); err != nil {
		t.Error(err)
	}
	if err := helper.Add(&credentials.Credentials{ServerURL: "docker.io"}); err == nil {
		t.Error("Add takes credentials for a host that isn't ECR")
	}
	t.Setenv("AWS_ECR_IGNORE_CREDS_STORAGE", "true")
	if err := helper.Add(&credentials.Credentials{ServerURL: "docker.io"}); err != nil {
		t.Error(err)
	}
}

// lockedBuffer is a buffer that goroutines share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The zero helper works, and tells when a token expires. After an error it can be used again.
func TestToken(t *testing.T) {
	server := start(t)
	var helper ecr.ECRHelper
	server.Deny("ecr:GetAuthorizationToken", user)
	var failure *ecr.Error
	if _, err := helper.Token(t.Context(), host); !errors.As(err, &failure) || failure.Kind != ecr.Denied || failure.Host != host || failure.Reason == "" || failure.Hint == "" {
		t.Errorf("Token = %v", err)
	}
	server.Allow("ecr:GetAuthorizationToken", user)
	begin := time.Now()
	token, err := helper.Token(t.Context(), host)
	if err != nil || token.Username != "AWS" {
		t.Fatalf("Token = %q, %v", token.Username, err)
	}
	if _, err := server.VerifyToken(token.Password, host); err != nil {
		t.Error(err)
	}
	if life := token.ExpiresAt.Sub(begin); life < 11*time.Hour || life > 12*time.Hour+time.Minute {
		t.Errorf("it expires after %v", life)
	}
	if _, password, err := helper.Get(host); err != nil || password != token.Password {
		t.Errorf("Get gives another: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if again, err := helper.Token(ctx, host); err != nil || again.Password != token.Password || !again.ExpiresAt.Equal(token.ExpiresAt) {
		t.Errorf("from the cache: %v", err)
	}
}

// Each error has a kind, and clients take for "no credentials" what the binary calls so.
func TestErrors(t *testing.T) {
	const public = "public.ecr.aws"
	for name, c := range map[string]struct {
		variable string
		server   string
		fault    awstest.Fault
		kind     ecr.Kind // empty for none
		notFound bool
	}{
		"another host":                               {"", "docker.io", awstest.Fault{}, "", true},
		"another host, a map that can't be read":     {"AWS_ECR_CONFIG=map.toml", "docker.io", awstest.Fault{}, ecr.Misconfigured, true},
		"a wrong setting":                            {"AWS_ECR_TIMEOUT=soon", host, awstest.Fault{}, ecr.Misconfigured, false},
		"a wrong setting, public":                    {"AWS_ECR_TIMEOUT=soon", public, awstest.Fault{}, ecr.Misconfigured, true},
		"AWS is down":                                {"", host, awstest.Fault{Status: 503}, ecr.Unavailable, false},
		"AWS is silent":                              {"AWS_ECR_TIMEOUT=100ms", host, awstest.Fault{Hang: true}, ecr.Timeout, false},
		"AWS is down, public":                        {"", public, awstest.Fault{Status: 503}, "", true},
		"a principal that isn't there":               {"AWS_ECR_CONFIG=MAP", host, awstest.Fault{}, ecr.Misconfigured, false},
		"a principal that isn't there, of public":    {"AWS_ECR_CONFIG=MAP", public, awstest.Fault{}, ecr.Misconfigured, true},
		"a principal that isn't there, of its alias": {"AWS_ECR_CONFIG=MAP", "public.example.com", awstest.Fault{}, ecr.Misconfigured, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			file := filepath.Join(t.TempDir(), "map.toml")
			text := ""
			for _, lines := range []string{`host = "` + host + `"`, `host = "public.ecr.aws"`, "host = \"public.example.com\"\nalias_of = \"public.ecr.aws\""} {
				text += "[[registry]]\n" + lines + "\nprofile = \"absent\"\n"
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if variable, value, ok := strings.Cut(c.variable, "="); ok {
				t.Setenv(variable, strings.Replace(value, "MAP", file, 1))
			}
			for _, action := range []string{"ecr:GetAuthorizationToken", "ecr-public:GetAuthorizationToken"} {
				if c.fault.Status != 0 || c.fault.Hang {
					server.Fail(action, c.fault)
				}
			}
			_, _, err := new(ecr.ECRHelper).Get(c.server)
			var failure *ecr.Error
			if errors.As(err, &failure) != (c.kind != "") || failure != nil && failure.Kind != c.kind {
				t.Errorf("Get: %v of kind %+v, want %q", err, failure, c.kind)
			}
			if credentials.IsErrCredentialsNotFound(err) != c.notFound {
				t.Errorf("Get: %v counts as not found: %v", err, !c.notFound)
			}
		})
	}
}

func ExampleParseRegistry() {
	r, ok := ecr.ParseRegistry("https://111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/v2/")
	fmt.Println(ok, r.Account, r.Region, r.FIPS)
	_, ok = ecr.ParseRegistry("111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.org")
	fmt.Println(ok)
	// Output:
	// true 111122223333 us-gov-west-1 true
	// false
}

func ExampleNewECRHelper() {
	helper := ecr.NewECRHelper(ecr.WithLogger(io.Discard))
	_, _, err := helper.Get("https://index.docker.io/v1/")
	fmt.Println(err)
	// Output: credentials not found in native keychain
}

// With a HOME that is relative, as below the working directory of a job, its sessions are nobody's.
func TestRelativeHome(t *testing.T) {
	server := start(t)
	t.Chdir(t.TempDir())
	login, err := server.AddLogin(user)
	if err != nil {
		t.Fatal(err)
	}
	session, err := json.Marshal(login)
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("config")
	if err != nil {
		t.Fatal(err)
	}
	const name = "x"
	for path, text := range map[string]string{
		config: "[default]\nlogin_session = " + name + "\n",
		fmt.Sprintf(".aws/login/cache/%x.json", sha256.Sum256([]byte(name))): string(session),
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		os.Unsetenv(name)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", here)
	if _, _, err := ecr.NewECRHelper(ecr.WithLogger(io.Discard)).Get(host); err != nil {
		t.Fatalf("with an absolute HOME: %v", err)
	}
	t.Setenv("HOME", ".")
	t.Setenv("AWS_ECR_DISABLE_CACHE", "1")
	if _, _, err := ecr.NewECRHelper(ecr.WithLogger(io.Discard)).Get(host); err == nil || !strings.Contains(err.Error(), "nobody is logged in") {
		t.Errorf("with a relative HOME: %v", err)
	}
}
