// Package binary tests the built binary through its own front door, against a
// stand-in for AWS, with no address but loopback.
package binary

import (
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/lab"
)

func TestMain(m *testing.M) {
	status := m.Run()
	lab.Clean()
	os.Exit(status)
}
