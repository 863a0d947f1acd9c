// Package faults runs the helper while something is wrong with AWS, the network, its input or other
// processes, and counts wrong results. With -short each test repeats less; none is omitted. Tests
// that need root are in package root.
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
