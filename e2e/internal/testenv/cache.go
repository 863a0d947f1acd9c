package testenv

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TokenDir returns the directory in which the helper caches tokens.
func (e *Env) TokenDir() string { return filepath.Join(e.Home, ".ecr/tokens") }

// TokenFile returns the file of the one cached token. The test fails if there isn't exactly one.
func (e *Env) TokenFile(t testing.TB) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(e.TokenDir(), "*.token"))
	if err != nil || len(files) != 1 {
		t.Fatalf("tokens: %q, %v; want one", files, err)
	}
	return files[0]
}

// timestamp matches a time as the cache writes it, in tokens and in failures.
var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)`)

// Age makes a file of the cache older by a duration, as if the clock had been set forward.
func Age(file string, by time.Duration) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	text = timestamp.ReplaceAllFunc(text, func(old []byte) []byte {
		t, parseErr := time.Parse(time.RFC3339Nano, string(old))
		err = errors.Join(err, parseErr)
		return []byte(t.Add(-by).Format(time.RFC3339Nano))
	})
	return errors.Join(err,
		os.WriteFile(file, text, 0o600),
		os.Chtimes(file, time.Time{}, info.ModTime().Add(-by)))
}
