// Package machine tests the built binary on machines that are in a bad state: broken, full and
// strange disks, limits, names that nobody knows. It needs root, to put them into it.
package root

import (
	"fmt"
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "the tests of package machine need root")
		os.Exit(1)
	}
	status := m.Run()
	testenv.Clean()
	testenv.Report()
	os.Exit(status)
}
