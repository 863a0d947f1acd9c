package clients

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

var writeMatrix = flag.Bool("matrix", false, "write what the clients did into README.md")

// recorded holds what each client did in tests that passed.
var recorded = struct {
	sync.Mutex
	versions map[string]string
	did      map[string]map[string]bool
}{versions: map[string]string{}, did: map[string]map[string]bool{}}

// record records what a client does in a test, if the test passes.
func record(t *testing.T, client, version string, does ...string) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		recorded.Lock()
		defer recorded.Unlock()
		recorded.versions[client] = version
		if recorded.did[client] == nil {
			recorded.did[client] = map[string]bool{}
		}
		for _, what := range does {
			recorded.did[client][what] = true
		}
	})
}

// matrix returns the table of all that was recorded.
func matrix() string {
	var b strings.Builder
	b.WriteString("| client | version | what was run | result |\n|---|---|---|---|\n")
	for _, client := range slices.Sorted(maps.Keys(recorded.did)) {
		fmt.Fprintf(&b, "| %s | %s | %s | passed |\n",
			client, recorded.versions[client], strings.Join(slices.Sorted(maps.Keys(recorded.did[client])), "; "))
	}
	return b.String()
}

const matrixBegin, matrixEnd = "<!-- written by make matrix -->\n", "<!-- end -->\n"

// checkMatrix compares the table with that in the README, or writes it there. Versions may differ,
// because other machines have other ones.
func checkMatrix() error {
	file := filepath.Join(testenv.Root(), "README.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), matrixBegin)
	old, after, ok2 := strings.Cut(rest, matrixEnd)
	if !ok || !ok2 {
		return errors.New("README.md has no place for the matrix of clients")
	}
	if *writeMatrix {
		return os.WriteFile(file, []byte(before+matrixBegin+matrix()+matrixEnd+after), 0o644)
	}
	version := regexp.MustCompile(`\| [0-9.]+ \|`)
	if got := matrix(); version.ReplaceAllString(got, "||") != version.ReplaceAllString(old, "||") {
		return fmt.Errorf("README.md says of the clients\n%s\nbut they did\n%s\nmake matrix writes it", old, got)
	}
	return nil
}
