package awsapi

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// newPipe makes a named pipe that nobody writes to before the test ends.
func newPipe(t *testing.T) string {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil { // ends who waits to open it
			f.Close()
		}
	})
	return pipe
}

// newRequest returns a request for a token of a registry, in an environment that the SDK has, too.
func newRequest(t *testing.T, env ...string) tokensource.Request {
	t.Helper()
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	r := tokensource.Resolver{Env: config.Env(env)}
	r.Settings.Home, r.Settings.Timeout = t.TempDir(), 200*time.Millisecond
	return r.NewRequest(registrymap.Target{
		Registry: registry.Registry{Account: "111122223333", Region: "eu-west-1"},
	})
}

// returns fails the test if a function doesn't return.
func returns(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for a pipe")
	}
}

// What explains an error opens no pipe: nothing would end that.
func TestTokenInPipe(t *testing.T) {
	q := newRequest(t, "AWS_WEB_IDENTITY_TOKEN_FILE="+newPipe(t), "AWS_ROLE_ARN=arn:aws:iam::111122223333:role/pull")
	returns(t, func() {
		if _, err := New()(t.Context(), q); err == nil {
			t.Error("no error")
		}
	})
}

// A request to a registry reads no CA certificates that have no end.
func TestBundleInPipe(t *testing.T) {
	probe, err := NewProbe(t.Context(), newRequest(t, "AWS_CA_BUNDLE="+newPipe(t), "AWS_ACCESS_KEY_ID=a"))
	if err == nil {
		t.Fatal("half of a key is accepted")
	}
	defer probe.Close()
	returns(t, func() {
		request, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:1/", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := probe.Do(request); err == nil {
			t.Error("no error")
		}
	})
}
