package faults

import (
	"os"
	"path/filepath"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// Eight jobs start together, write the same credentials file and run a get. The file is empty for a
// moment, and then the instance's own role is the next source. No token of that role is cached for
// the role of the file.
func TestWritingJobs(t *testing.T) {
	t.Parallel()
	env, fault := testenv.OnInstance(t), testenv.NewFault(t)
	env.NoTimeouts()
	file := filepath.Join(env.Home, ".aws/credentials")
	testenv.Must(t, os.Rename(file, file+".new"))
	for range testenv.Times(1000) {
		testenv.Must(t, os.RemoveAll(filepath.Join(env.Home, ".ecr")))
		testenv.Concurrently(8, func(int) {
			env.Run(t, "get", testenv.Host, "sh", "-c", `cat "$HOME/.aws/credentials.new" >"$HOME/.aws/credentials"; exec "$0" "$@"`)
		})
		fault.Check(t, env, env.Run(t, "get", testenv.Host), "assumed-role/pull/")
	}
}
