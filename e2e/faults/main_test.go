// Package torture does to the built binary whatever AWS, a network, people and other processes
// can do to it, and counts what it answers. With -short each fault is shorter; none is left
// out. What needs root is in package machine.
package faults

import (
	"os"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func TestMain(m *testing.M) {
	status := m.Run()
	testenv.Clean()
	testenv.Report()
	os.Exit(status)
}
