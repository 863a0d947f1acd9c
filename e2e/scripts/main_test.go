// Package scripts tests the helper's binary against a stand-in for AWS on loopback. Most tests are
// scripts in testdata; see TestScripts.
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
