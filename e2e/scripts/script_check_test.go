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

const notFound = "credentials not found in native keychain\n"

// secrets are what nothing but the answer of a get may hold: sessions of AWS and
// of SSO, tokens of ECR and JWTs as package standin makes them, the user's
// secret key, and what a script marks.
var secrets = regexp.MustCompile(`IQoJb3JpZ2lu|ao[ar][\w+/]{100}|eyJkYXRha2V5|eyJhbGciOi|MARKED|` + regexp.QuoteMeta(testenv.Secret))

// judge says what is wrong with a run, whatever the script is.
func (s *script) check(r testenv.Result, argv []string, stdin string, fails bool) error {
	all := s.checkAny(r, argv, fails)
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	switch verb := strings.Join(argv, " "); {
	case verb == "get" && fails && strings.TrimSpace(stdin) == "":
	case verb == "get" && fails:
		s.checkFailure(r, wrong)
	case verb == "get":
		s.checkPassword(r, strings.TrimSpace(stdin), wrong)
	case verb == "list" && fails:
		s.checkFailure(r, wrong)
	case verb == "list":
		checkList(r, wrong)
	}
	return errors.Join(all...)
}

// judgeAny says what is wrong with a run, whatever it is about.
func (s *script) checkAny(r testenv.Result, argv []string, fails bool) (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	verb := strings.Join(argv, " ")

	if want := map[bool]int{true: 1, false: 0}[fails]; r.Status != want {
		wrong("exit status %d, want %d", r.Status, want)
	}
	timeout := 8 * time.Second
	if set, err := time.ParseDuration(s.getenv("AWS_ECR_TIMEOUT")); err == nil && set > 0 {
		timeout = set
	}
	if len(argv) > 0 && argv[0] == "doctor" {
		timeout *= 2
	}
	// The machine may be busy. What waits for ever is killed after a minute.
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

func (s *script) checkFailure(r testenv.Result, wrong func(string, ...any)) {
	if strings.Count(r.Stderr, "\n") > 1 || r.Stderr != "" && !strings.HasSuffix(r.Stderr, "\n") {
		wrong("more or less than a line is on stderr")
	}
	switch {
	case !s.failsOnError():
		if r.Stdout != notFound {
			wrong("stdout isn't what clients take for not found")
		}
	case strings.Count(r.Stdout, "\n") != 1 || r.Stderr != "":
		wrong("the failure isn't a line on stdout alone")
	}
}

// failsLoudly tells whether failures are to be on stdout, as the environment says
// or else the map.
func (s *script) failsOnError() bool {
	if set := s.getenv("AWS_ECR_ON_ERROR"); set != "" {
		return set == "fail"
	}
	file := s.getenv("AWS_ECR_CONFIG")
	if file == "" {
		file = filepath.Join(s.Home, ".ecr/config.toml")
	}
	return strings.HasPrefix(read(file), `on_error = "fail"`)
}

// read returns what is in a regular file.
func read(file string) string {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, _ := os.ReadFile(file)
	return string(text)
}

func (s *script) checkPassword(r testenv.Result, server string, wrong func(string, ...any)) {
	password, err := r.Password()
	if err != nil {
		wrong("%w", err)
		return
	}
	s.server, s.passwords = server, append(s.passwords, password)
	var answer struct{ ServerURL string }
	if err := json.Unmarshal([]byte(r.Stdout), &answer); err != nil || answer.ServerURL != server {
		wrong("ServerURL is %q, want %q", answer.ServerURL, server)
	}
}

func checkList(r testenv.Result, wrong func(string, ...any)) {
	var hosts map[string]string
	if err := json.Unmarshal([]byte(r.Stdout), &hosts); err != nil || hosts == nil {
		wrong("stdout is no JSON object of strings: %v", err)
	}
	for server, user := range hosts {
		host, ok := strings.CutPrefix(server, "https://")
		if !ok || user != "AWS" || strings.ContainsAny(host, "*/") {
			wrong("the list has %q: %q", server, user)
		}
	}
}

// log is what the helper has logged.
func (s *script) log() string {
	file := s.getenv("AWS_ECR_LOG_FILE")
	if rest, ok := strings.CutPrefix(file, "~"); ok {
		file = s.Home + rest
	} else if file == "" {
		file = filepath.Join(s.Home, ".ecr/log/ecr-login.log")
	}
	return read(file)
}
