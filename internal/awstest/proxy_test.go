package awstest_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func get(t *testing.T, client *http.Client, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	return resp.Status + " " + readAll(t, resp), nil
}

func TestProxyRefuses(t *testing.T) {
	srv := newServer(t)
	tr := proxied(t, srv).GetTransport()
	tr.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(srv.ProxyURL()) }
	client := &http.Client{Transport: tr}
	for _, u := range []string{
		"https://example.com/",
		"https://" + host + "/v2/", // a registry that isn't served
		"https://api.ecr.eu-west-1.amazonaws.com:8443/",
	} {
		if _, err := get(t, client, u); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
			t.Errorf("%s: %v, want Bad Gateway", u, err)
		}
	}
	if got, err := get(t, client, "http://169.254.169.254/latest/meta-data/"); err != nil || !strings.HasPrefix(got, "502") {
		t.Errorf("plain http: %s, %v", got, err)
	}
	want := []string{"example.com", host, "api.ecr.eu-west-1.amazonaws.com:8443", "http://169.254.169.254/latest/meta-data/"}
	if got := srv.Connects(); !slices.Equal(got, want) {
		t.Errorf("connects %v, want %v", got, want)
	}
	if got := srv.Counts(); len(got) != 0 {
		t.Errorf("counts %v, want none", got)
	}
}

func TestProxyAuth(t *testing.T) {
	srv := newServer(t)
	srv.RequireProxyAuth("me", "pass")
	with := func(user *url.Userinfo) error {
		tr := proxied(t, srv).GetTransport()
		u, err := url.Parse(srv.ProxyURL())
		if err != nil {
			t.Fatal(err)
		}
		u.User = user
		tr.Proxy = http.ProxyURL(u)
		_, err = get(t, &http.Client{Transport: tr}, "https://api.ecr.eu-west-1.amazonaws.com/")
		return err
	}
	for _, user := range []*url.Userinfo{nil, url.UserPassword("me", "wrong")} {
		if err := with(user); err == nil || !strings.Contains(err.Error(), "Proxy Authentication Required") {
			t.Errorf("as %v: %v", user, err)
		}
	}
	if err := with(url.UserPassword("me", "pass")); err != nil {
		t.Error(err)
	}
	srv.RequireProxyAuth("", "")
	if err := with(nil); err != nil {
		t.Error(err)
	}
}

func TestHandle(t *testing.T) {
	srv := newServer(t)
	answer := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text+" "+r.Host) })
	}
	srv.Handle("*.dkr.ecr.ap-south-1.amazonaws.com", answer("any"))
	srv.Handle("111111111111.dkr.ecr.ap-south-1.amazonaws.com", answer("one"))
	client := &http.Client{Transport: proxied(t, srv).GetTransport()}
	for host, want := range map[string]string{
		"111111111111.dkr.ecr.ap-south-1.amazonaws.com": "200 OK one 111111111111.dkr.ecr.ap-south-1.amazonaws.com",
		"222222222222.dkr.ecr.ap-south-1.amazonaws.com": "200 OK any 222222222222.dkr.ecr.ap-south-1.amazonaws.com",
	} {
		if got, err := get(t, client, "https://"+host+"/v2/"); err != nil || got != want {
			t.Errorf("%s answers %q, %v", host, got, err)
		}
	}
}

func TestUntrustedAuthority(t *testing.T) {
	srv := newServer(t)
	tr := proxied(t, srv).GetTransport()
	tr.TLSClientConfig.RootCAs = nil
	_, err := get(t, &http.Client{Transport: tr}, "https://api.ecr.eu-west-1.amazonaws.com/")
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one about the certificate", err)
	}
}

func TestUnknownOperation(t *testing.T) {
	srv := newServer(t)
	client := &http.Client{Transport: proxied(t, srv).GetTransport()}
	// The portal's path at STS's host.
	got, err := get(t, client, "https://sts.eu-west-1.amazonaws.com/federation/credentials")
	if err != nil || !strings.HasPrefix(got, "400") || srv.Count("unknown") != 1 {
		t.Errorf("%s, %v; counts %v", got, err, srv.Counts())
	}
}
