// Package binary tests the built binary through its own front door, against a
// stand-in for AWS, with no address but loopback.
package scripts

import (
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func TestMain(m *testing.M) {
	status := m.Run()
	testenv.Clean()
	os.Exit(status)
}
