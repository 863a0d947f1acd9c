package scripts

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func (s *script) age(_ *testscript.TestScript, _ bool, args []string) error {
	by, err := time.ParseDuration(strings.Join(args, " "))
	if err != nil {
		return err
	}
	aged := 0
	for _, pattern := range []string{"*.token", "*.known", "*.failure"} {
		files, _ := filepath.Glob(filepath.Join(s.Home, ".ecr/tokens", pattern))
		for _, file := range files {
			if err := testenv.Age(file, by); err != nil {
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
