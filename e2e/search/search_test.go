// Package search searches for tokens of a wrong principal. It changes the environment and the files
// of a home at random, one thing at a time. After each change it compares a get of the helper with
// the principal that the AWS SDK finds by itself, in its own process.
package search

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

var (
	steps = flag.Int("steps", 20000, "how many changes are made; with -short a fiftieth")
	seed  = flag.Uint64("seed", 0, "of the random search; 0 for another one each time, or with -short always the same")
)

const walks = 4 // at a time

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 && testing.Short() {
		*seed = 16
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	if testing.Short() {
		*steps /= 50
	}
	status := m.Run()
	testenv.Clean()
	os.Exit(status)
}

var oracle = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ecr-login-oracle-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "oracle")
	return path, testenv.BuildGo(context.Background(), filepath.Join(testenv.Root(), "e2e"), "./search/oracle", path)
})

// search runs walks with a helper until they have made a number of steps, or one has found a
// violation. For share, in percent, see walk. It returns the steps by kind, how many gets returned
// a token, and the violation.
func search(t *testing.T, helper string, steps, share int, only string) (made map[string]int, served int, violation error) {
	t.Helper()
	path, err := oracle()
	testenv.Must(t, err)
	var mu sync.Mutex
	made = map[string]int{}
	var all sync.WaitGroup
	for i := range walks {
		w := newWalk(t, helper, path, *seed+uint64(i), share, only)
		all.Go(func() {
			for range steps / walks {
				mu.Lock()
				ended := violation != nil
				mu.Unlock()
				if ended {
					break
				}
				if err := w.step(); err != nil {
					mu.Lock()
					violation = err
					mu.Unlock()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			served += w.served
			for kind, n := range w.steps {
				made[kind] += n
			}
		})
	}
	all.Wait()
	return made, served, violation
}

// The helper never serves a token of a wrong principal, caches what it serves, and fails if the SDK
// fails.
func TestSearch(t *testing.T) {
	made, served, violation := search(t, testenv.Binary(t), *steps, 30, "")
	sum := 0
	for _, kind := range slices.Sorted(maps.Keys(made)) {
		fmt.Printf("%6d  %s\n", made[kind], kind)
		sum += made[kind]
	}
	fmt.Printf("%6d  changes, after which %d gets gave a token; seed %d\n", sum, served, *seed)
	if violation != nil {
		t.Errorf("seed %d: %v", *seed, violation)
	}
	if violation == nil && (sum < *steps*9/10 || served < sum/20) {
		t.Errorf("%d changes were made, and %d gets gave a token: fewer than it takes to see anything", sum, served)
	}
}

// plant builds the helper with a bug: in a file, one text is replaced by another.
func plant(t *testing.T, file, old, bug string) string {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(testenv.Root(), file)
	text := testenv.ReadFile(t, file)
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%s doesn't hold %q once, in whose place the bug is to be", file, old)
	}
	wrong, overlay, helper := filepath.Join(dir, "wrong.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, testenv.Name)
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{file: wrong}})
	testenv.Must(t, err)
	for path, text := range map[string]string{wrong: strings.Replace(string(text), old, bug, 1), overlay: string(list)} {
		testenv.Must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	testenv.Must(t, testenv.BuildGo(t.Context(), testenv.Root(), "./cmd/"+testenv.Name, helper, "-overlay", overlay))
	return helper
}
