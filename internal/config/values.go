package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const longestTimeout = 24 * time.Hour

// parseTimeout returns the default timeout with an error.
func parseTimeout(text string) (time.Duration, error) {
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return defaultTimeout, fmt.Errorf("is %q, which is no duration such as 8s", text)
	}
	if timeout > longestTimeout {
		return defaultTimeout, fmt.Errorf("is %q, which is more than a day", text)
	}
	return timeout, nil
}

func (s *Settings) setTimeout(_, text string) (err error) {
	s.Timeout, err = parseTimeout(text)
	return err
}

func (s *Settings) setOnError(_, text string) error {
	s.FailOnError = text == "fail"
	if text != "not-found" && text != "fail" {
		return fmt.Errorf("is %q, where only not-found and fail are known", text)
	}
	return nil
}

// HelperPrefix begins the name of every credential helper's program.
const HelperPrefix = "docker-credential-"

// itself is this helper, as clients name it.
const itself = "ecr-login"

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (s *Settings) setFallback(where, name string) error {
	s.Fallback, s.FallbackFrom, s.FallbackErr = name, where, nil
	err := checkFallback(name)
	if err != nil {
		s.FallbackErr = fmt.Errorf("%s: the fallback %w", where, err)
	}
	return err
}

func checkFallback(name string) error {
	switch bare, ok := strings.CutPrefix(name, HelperPrefix); {
	case ok && bare != "":
		return fmt.Errorf("is %q; leave out %q", name, HelperPrefix)
	case strings.ContainsAny(name, `/\`):
		return fmt.Errorf("is %q, a path; name a helper on the PATH, such as secretservice for %ssecretservice", name, HelperPrefix)
	case strings.Trim(name, letters+"0123456789_.-") != "":
		return fmt.Errorf("is %q, which is no name of a helper such as secretservice", name)
	case name == itself:
		return errors.New("is this helper itself; name another, or none")
	}
	return nil
}
