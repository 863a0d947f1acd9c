package credhelper

import (
	"os/exec"
	"strings"
	"testing"
)

// A warm get must not start what only a miss needs: initialising the AWS SDK
// takes longer than all else a get does.
func TestWarmPathImports(t *testing.T) {
	heavy := []string{"github.com/aws/", "github.com/sirupsen/", "net", "net/http", "crypto/tls", "crypto/x509",
		// These start after logrus, and so would all that imports them.
		"os/exec", "os/user", "path/filepath", "regexp"}
	for _, pkg := range []string{"internal/faststart", "internal/credhelper", "internal/kubelet", "internal/bazel", "internal/failure", "internal/deadline", "internal/atomicfile", "internal/tokensource", "internal/identity", "internal/config", "internal/registrymap", "internal/registry", "cache"} {
		out, err := exec.Command("go", "list", "-deps", "docker-credential-ecr-login/"+pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 20 {
			t.Fatalf("go list -deps %s lists only %q", pkg, deps)
		}
		for _, dep := range deps {
			for _, prefix := range heavy {
				if dep == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(dep, prefix) {
					t.Errorf("%s depends on %s", pkg, dep)
				}
			}
		}
	}
}
