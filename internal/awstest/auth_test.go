package awstest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/awstest"
)

const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"

// pull requests /v2/ from the registry at host and returns the status, the challenge and the body.
func pull(t *testing.T, srv *awstest.Server, host, password string) (status int, challenge, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		r.SetBasicAuth("AWS", password)
	}
	resp, err := proxied(t, srv).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("WWW-Authenticate"), readAll(t, resp)
}

// serveRegistry serves a registry with access control at host.
func serveRegistry(t *testing.T, srv *awstest.Server, host string) {
	t.Helper()
	srv.Handle(host, srv.RegistryAuth(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "welcome")
	})))
}

func TestRegistryAuth(t *testing.T) {
	srv := newServer(t)
	serveRegistry(t, srv, host)
	own := password(t, load(t, srv, "eu-west-1"))
	foreign := password(t, load(t, srv, "eu-west-2"))
	srv.SetTokenTTL(-time.Minute)
	expired := password(t, load(t, srv, "eu-west-1"))
	srv.SetTokenTTL(12 * time.Hour)
	srv.SetPasswordTTL(-time.Minute)
	early := password(t, load(t, srv, "eu-west-1"))

	for _, tt := range []struct {
		name, password string
		status         int
	}{
		{"own", own, 200},
		{"none", "", 401},
		{"made up", base64.StdEncoding.EncodeToString([]byte(`{"payload":"x","version":"2","type":"DATA_KEY"}`)), 401},
		{"changed", own[:len(own)-8] + "AAAAAAAA", 401},
		{"of another region", foreign, 401},
		{"expired", expired, 401},
		{"expired inside the password", early, 401},
	} {
		status, challenge, body := pull(t, srv, host, tt.password)
		if status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, status, body, tt.status)
		}
		if want := `Basic realm="https://` + host + `/",service="ecr.amazonaws.com"`; status == 401 && challenge != want {
			t.Errorf("%s: challenge %s, want %s", tt.name, challenge, want)
		}
		if (body == "welcome") != (tt.status == 200) {
			t.Errorf("%s: the registry sent %q", tt.name, body)
		}
	}
}

func TestTokenExpiresByServerClock(t *testing.T) {
	srv := newServer(t)
	p := password(t, load(t, srv, "eu-west-1"))
	for _, tt := range []struct {
		later time.Duration
		good  bool
	}{{11 * time.Hour, true}, {13 * time.Hour, false}} {
		srv.SetClock(func() time.Time { return time.Now().Add(tt.later) })
		if _, err := srv.VerifyToken(p, host); (err == nil) != tt.good {
			t.Errorf("after %v: %v", tt.later, err)
		}
	}
}

func TestRegistryAuthAcrossAccounts(t *testing.T) {
	srv := newServer(t)
	const there = "222222222222.dkr-ecr.eu-west-1.on.aws"
	serveRegistry(t, srv, there)
	p := password(t, load(t, srv, "eu-west-1"))
	if status, _, body := pull(t, srv, there, p); status != 403 || !strings.Contains(body, userARN) {
		t.Errorf("without a grant: %d %s", status, body)
	}
	srv.Grant("222222222222", userARN)
	if status, _, body := pull(t, srv, there, p); status != 200 {
		t.Errorf("with a grant: %d %s", status, body)
	}
	srv.Deny("ecr:BatchGetImage", userARN)
	if status, _, body := pull(t, srv, there, p); status != 403 {
		t.Errorf("denied: %d %s", status, body)
	}
}

func TestPasswordLooksReal(t *testing.T) {
	srv := newServer(t)
	srv.SetPasswordTTL(6 * time.Hour)
	b, err := base64.StdEncoding.DecodeString(password(t, load(t, srv, "eu-west-1")))
	if err != nil {
		t.Fatal(err)
	}
	var inside struct {
		Payload, Datakey, Version, Type string
		Expiration                      int64
	}
	if err := json.Unmarshal(b, &inside); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(time.Unix(inside.Expiration, 0)); left < 5*time.Hour || left > 6*time.Hour {
		t.Errorf("expiration in %v, want 6h", left)
	}
	if inside.Version != "2" || inside.Type != "DATA_KEY" || len(inside.Payload) < 1000 || len(inside.Datakey) < 200 {
		t.Errorf("password %s", b)
	}
}
