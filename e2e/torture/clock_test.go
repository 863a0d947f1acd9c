package torture

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/standin"
)

// The clocks of this machine and of AWS are apart, as far and in either direction as a
// broken one may be, and this machine's is set between two gets. As a test can't set it,
// what the cache holds of times is set the other way. No token is served that AWS takes
// for expired.
func TestClocks(t *testing.T) {
	hour, year := time.Hour, 365*24*time.Hour
	for _, apart := range []time.Duration{0, hour, -hour, year, -year} {
		for _, set := range []time.Duration{0, time.Minute, -time.Minute, hour, -hour, 13 * hour, -13 * hour, year, -year} {
			t.Run(apart.String()+" apart, set by "+set.String(), func(t *testing.T) {
				t.Parallel()
				l, s := withKeys(t), suffer(t)
				l.Cloud.SetClock(func() time.Time { return time.Now().Add(apart) })
				s.must(t, l, userARN)
				age(t, tokenFile(t, l), set)
				l.Cloud.SetClock(func() time.Time { return time.Now().Add(apart - set) })
				s.must(t, l, userARN)
				s.must(t, l, userARN)
			})
		}
	}
}

// age makes a token's file as old as it is by a clock that has been set forward by that
// long.
func age(t *testing.T, file string, by time.Duration) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	info, err := os.Stat(file)
	must(t, err)
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`).ReplaceAllFunc(text, func(at []byte) []byte {
		moment, err := time.Parse(time.RFC3339Nano, string(at))
		must(t, err)
		return []byte(moment.Add(-by).Format(time.RFC3339Nano))
	})
	must(t, os.WriteFile(file, text, 0o600))
	must(t, os.Chtimes(file, time.Time{}, info.ModTime().Add(-by)))
}

// A name server that takes questions and never answers.
func TestSilentNames(t *testing.T) {
	l, s := withKeys(t), suffer(t)
	server, err := net.ListenPacket("udp", "127.0.0.53:53")
	if err != nil {
		server, err = net.ListenPacket("udp", "127.0.0.54:53")
	}
	must(t, err)
	defer server.Close()
	address, _, _ := net.SplitHostPort(server.LocalAddr().String())
	l.Write(t, "resolv.conf", "nameserver "+address+"\n")
	l.Set("HTTPS_PROXY", "AWS_ECR_TIMEOUT=2s")
	r := under(t, l, "get", host, "unshare", "--mount", "sh", "-c",
		"mount --bind "+filepath.Join(l.Home, "resolv.conf")+` /etc/resolv.conf; exec "$0" "$@"`)
	s.judge(t, l, r, userARN)
	if r.Status == 0 || r.Took > 8*time.Second || !strings.Contains(r.Stderr, "api.ecr.ap-south-1.amazonaws.com") {
		t.Errorf("status %d, stderr %q, after %v", r.Status, r.Stderr, r.Took)
	}
}

// A proxy wants a password, has none for AWS, or is silent.
func TestProxies(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	for name, spoil := range map[string]func(cloud *standin.Cloud) (proxy string){
		"a password":    func(c *standin.Cloud) string { c.RequireProxyAuth("me", "x"); return c.ProxyURL() },
		"silence":       func(*standin.Cloud) string { return "http://" + silent.Addr().String() },
		"nobody":        func(*standin.Cloud) string { return "http://127.0.0.1:1" },
		"no proxy":      func(c *standin.Cloud) string { return c.EndpointURL() },
		"TLS, and none": func(c *standin.Cloud) string { return strings.Replace(c.ProxyURL(), "http:", "https:", 1) },
		"no URL":        func(*standin.Cloud) string { return "://" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s := withKeys(t), suffer(t)
			old := l.Cloud.ProxyURL()
			l.Set("HTTPS_PROXY="+spoil(l.Cloud), "AWS_ECR_TIMEOUT=2s")
			r := l.Run(t, "get", host)
			s.judge(t, l, r, userARN)
			if r.Status == 0 || r.Took > 8*time.Second {
				t.Errorf("status %d, after %v", r.Status, r.Took)
			}
			l.Cloud.RequireProxyAuth("", "")
			l.Set("HTTPS_PROXY=" + old)
			s.must(t, l, userARN)
		})
	}
}
