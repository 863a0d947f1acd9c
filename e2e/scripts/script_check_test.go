package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// secrets matches what may be nowhere but in the output of a get: session tokens of AWS and tokens
// of SSO, ECR and web identities as package awstest makes them, the user's secret key, and what a
// script marks.
var secrets = regexp.MustCompile(`IQoJb3JpZ2lu|ao[ar][\w+/]{100}|eyJkYXRha2V5|eyJhbGciOi|MARKED|` + regexp.QuoteMeta(testenv.Secret))

// check returns what is wrong with a run, by the rules that hold in every script.
func (s *script) check(r testenv.Result, argv []string, stdin string, fails bool) error {
	all := s.checkAny(r, argv, fails)
	switch strings.Join(argv, " ") {
	case "get":
		all = append(all, s.checkGet(r, strings.TrimSpace(stdin), fails))
	case "list":
		all = append(all, s.checkList(r, fails))
	}
	return errors.Join(all...)
}

// checkAny returns what is wrong with a run, by the rules that hold for every verb.
func (s *script) checkAny(r testenv.Result, argv []string, fails bool) (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	verb := strings.Join(argv, " ")

	if want := map[bool]int{true: 1, false: 0}[fails]; r.Status != want {
		wrong("exit status %d, want %d", r.Status, want)
	}
	timeout := 8 * time.Second
	if set, err := time.ParseDuration(s.Get("AWS_ECR_TIMEOUT")); err == nil && set > 0 {
		timeout = set
	}
	if len(argv) > 0 && argv[0] == "doctor" {
		timeout *= 2
	}
	// A busy machine needs longer. A run that hangs is killed after a minute.
	if r.Took > timeout+20*time.Second {
		wrong("it took %v, where %v was the limit", r.Took, timeout)
	}
	for name, text := range map[string]string{"stderr": r.Stderr, "stdout": r.Stdout, "the log": s.log()} {
		if name == "stdout" && (verb == "get" || verb == "kubelet") && !fails {
			continue
		}
		if found := secrets.FindString(text); found != "" {
			wrong("a secret is in %s: %.20s…", name, found)
		}
	}
	if readsStdin(argv) && !fails && r.Stderr != "" {
		wrong("it succeeds, and says something on stderr")
	}
	return all
}

// checkFailure returns what is wrong with the output of a get or a list that fails.
func (s *script) checkFailure(r testenv.Result) (err error) {
	if strings.Count(r.Stderr, "\n") > 1 || r.Stderr != "" && !strings.HasSuffix(r.Stderr, "\n") {
		err = errors.New("more or less than a line is on stderr")
	}
	switch {
	case !s.failsOnError():
		if r.Stdout != testenv.NotFound {
			err = errors.Join(err, errors.New("stdout isn't what clients take for not found"))
		}
	case strings.Count(r.Stdout, "\n") != 1 || r.Stderr != "":
		err = errors.Join(err, errors.New("the failure isn't a line on stdout alone"))
	}
	return err
}

// failsOnError reports whether the environment or the map has on_error = fail.
func (s *script) failsOnError() bool {
	if set := s.Get("AWS_ECR_ON_ERROR"); set != "" {
		return set == "fail"
	}
	file := s.Get("AWS_ECR_CONFIG")
	if file == "" {
		file = filepath.Join(s.Home, ".ecr/config.toml")
	}
	return strings.HasPrefix(read(file), `on_error = "fail"`)
}

// read returns what a file holds, or "" if there is no regular file.
func read(file string) string {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, _ := os.ReadFile(file)
	return string(text)
}

// checkGet returns what is wrong with the output of a get for a server. It keeps the password for
// the commands that check it.
func (s *script) checkGet(r testenv.Result, server string, fails bool) error {
	if fails {
		if server == "" {
			return nil // "no credentials server URL" is a message of its own
		}
		return s.checkFailure(r)
	}
	c, err := r.Credentials()
	if err != nil {
		return err
	}
	s.server, s.passwords = server, append(s.passwords, c.Secret)
	if c.ServerURL != server {
		return fmt.Errorf("ServerURL is %q, want %q", c.ServerURL, server)
	}
	return nil
}

// checkList returns what is wrong with the output of a list.
func (s *script) checkList(r testenv.Result, fails bool) error {
	if fails {
		return s.checkFailure(r)
	}
	var hosts map[string]string
	if err := json.Unmarshal([]byte(r.Stdout), &hosts); err != nil || hosts == nil {
		return fmt.Errorf("stdout is no JSON object of strings: %w", err)
	}
	var all []error
	for server, user := range hosts {
		host, ok := strings.CutPrefix(server, "https://")
		if !ok || user != "AWS" || strings.ContainsAny(host, "*/") {
			all = append(all, fmt.Errorf("the list has %q: %q", server, user))
		}
	}
	return errors.Join(all...)
}

// log returns what the helper has logged.
func (s *script) log() string {
	file := s.Get("AWS_ECR_LOG_FILE")
	if rest, ok := strings.CutPrefix(file, "~"); ok {
		file = s.Home + rest
	} else if file == "" {
		file = filepath.Join(s.Home, ".ecr/log/ecr-login.log")
	}
	return read(file)
}
