package binary

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func (s *story) age(_ *testscript.TestScript, _ bool, args []string) error {
	by, err := time.ParseDuration(strings.Join(args, " "))
	if err != nil {
		return err
	}
	aged := 0
	for _, pattern := range []string{"*.token", "*.failure"} {
		files, _ := filepath.Glob(filepath.Join(s.Home, ".ecr/tokens", pattern))
		for _, file := range files {
			if err := ageFile(file, by); err != nil {
				return err
			}
			aged++
		}
	}
	if aged == 0 {
		return errors.New("the cache is empty")
	}
	return nil
}

// moment is a time as the cache writes it, in tokens and in failures.
var moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)`)

func ageFile(file string, by time.Duration) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	text = moment.ReplaceAllFunc(text, func(at []byte) []byte {
		t, parseErr := time.Parse(time.RFC3339Nano, string(at))
		err = errors.Join(err, parseErr)
		return []byte(t.Add(-by).Format(time.RFC3339Nano))
	})
	return errors.Join(err, os.WriteFile(file, text, 0o600), os.Chtimes(file, time.Time{}, info.ModTime().Add(-by)))
}
