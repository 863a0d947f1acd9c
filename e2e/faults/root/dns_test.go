package root

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A name server gets requests and never answers.
func TestSilentNameServer(t *testing.T) {
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	server, err := net.ListenPacket("udp", "127.0.0.53:53")
	if err != nil {
		server, err = net.ListenPacket("udp", "127.0.0.54:53")
	}
	testenv.Must(t, err)
	defer server.Close()
	address, _, _ := net.SplitHostPort(server.LocalAddr().String())
	env.Write(t, "resolv.conf", "nameserver "+address+"\n")
	env.Set("HTTPS_PROXY", "AWS_ECR_TIMEOUT=2s")
	r := env.Run(t, "get", testenv.Host, "unshare", "--mount", "sh", "-c",
		"mount --bind "+filepath.Join(env.Home, "resolv.conf")+` /etc/resolv.conf; exec "$0" "$@"`)
	fault.Check(t, env, r, testenv.UserARN)
	if r.Status == 0 || r.Took > 8*time.Second || !strings.Contains(r.Stderr, "api.ecr.ap-south-1.amazonaws.com") {
		fault.Errorf(t, "status %d, stderr %q, after %v", r.Status, r.Stderr, r.Took)
	}
}
