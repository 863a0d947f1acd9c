// Package root runs the helper on machines in a bad state: broken, full and strange disks, limits,
// a silent name server. It needs root to make that state.
package root

import (
	"fmt"
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "the tests of package root need root")
		os.Exit(1)
	}
	status := m.Run()
	testenv.Clean()
	testenv.Report()
	os.Exit(status)
}
