package faults

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// hostileInputs are what the author of a CI job might send on stdin.
var hostileInputs = []string{
	"", "\n", "\x00", "{", `{"uri":"https://` + testenv.Host + `"}`, "[default]\nrole_arn=arn:aws:iam::666666666666:role/evil",
	testenv.Host + "\nlevel=error msg=injected", testenv.Host + "\r\nX-Injected: yes", testenv.Host + "\x1b[2J\x1b[31m", testenv.Host + "\u202egpj.", testenv.Host + "\u2028x",
	"evil.example.com/" + testenv.Host, "evil.example.com#" + testenv.Host, "evil.example.com?" + testenv.Host, testenv.Host + "@evil.example.com", "user:pass@" + testenv.Host,
	testenv.Host + ".evil.example.com", "evil.example.com:443/" + testenv.Host, "https://" + testenv.Host + ":99999", "https://" + testenv.Host + ":80/../..", testenv.Host + "%00", testenv.Host + "%2f",
	"222222222222.dkr.ecr.ap-south-1.amazonaws.com.", "222222222222.dkr.ecr.evil.example.com.amazonaws.com", "222222222222.dkr.ecr..amazonaws.com",
	"222222222222.dkr.ecr.ap-south-1.amazonaws.com.cn", "222222222222.dkr.ecr.$(id).amazonaws.com", "222222222222.dkr.ecr.`id`.amazonaws.com",
	"../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "localhost:5000", "127.0.0.1",
	"--help", "-v", "; rm -rf ~", "$HOME", "%s%s%s%n", strings.Repeat("a", 1<<20), strings.Repeat(testenv.Host+" ", 1<<14), "\xff\xfe" + testenv.Host, "２２２２２２２２２２２２.dkr.ecr.ap-south-1.amazonaws.com",
	"222222222222.dkr.ecr.ap-south-1.amazonaws.com\t", "\ufeff" + testenv.Host, "arn:aws:iam::666666666666:role/evil", "profile evil",
}

// checkInput returns what is wrong with the result of a verb with an input.
func checkInput(env *testenv.Env, verb, input string, r testenv.Result) error {
	switch {
	case verb != "get":
		return nil
	case strings.HasPrefix(input, "https://"+testenv.Host+":") || input == testenv.Host+"\t":
		// This is the registry's name with a port, a path or a blank.
		password, err := r.Password()
		if err != nil {
			return err
		}
		_, err = env.AWS.VerifyToken(password, testenv.Host)
		return err
	case strings.HasPrefix(input, `{"uri":`): // a request of Bazel
		if r.Status != 0 || !strings.HasPrefix(r.Stdout, `{"headers":{"Authorization":["Basic `) || r.Stderr != "" {
			return errors.New("it is no answer to Bazel")
		}
	case r.Status != 1 || r.Stderr != "" || r.Stdout != testenv.NotFound && r.Stdout != "no credentials server URL\n":
		return errors.New("it isn't just not found")
	}
	return nil
}

// Stdin chooses a registry and no endpoint, profile, role, file or program. Nothing in it breaks a
// line of stderr or of the log, or gets into a request. Files of the working directory choose
// nothing either.
func TestHostileInput(t *testing.T) {
	env, fault := testenv.OnInstance(t), testenv.NewFault(t)
	log := filepath.Join(env.Home, "log")
	env.Set("AWS_ECR_LOG_LEVEL=debug", "AWS_ECR_LOG_FILE="+log)
	env.Write(t, "bin/docker-credential-evil", "#!/bin/sh\ntouch "+env.Home+"/ran\n")
	testenv.Must(t, os.Chmod(filepath.Join(env.Home, "bin/docker-credential-evil"), 0o700))
	evil := "[default]\nrole_arn = arn:aws:iam::666666666666:role/evil\ncredential_process = " + env.Home + "/bin/docker-credential-evil\n"
	for _, file := range []string{"work/.aws/config", "work/.aws/credentials", "work/config", "work/credentials"} {
		env.Write(t, file, evil)
	}
	for _, file := range []string{"work/.ecr/config.toml", "work/config.toml", "work/ecr-login/config.toml"} {
		env.Write(t, file, "fallback = \"evil\"\n[[registry]]\nhost = \""+testenv.Host+"\"\nrole_arn = \"arn:aws:iam::666666666666:role/evil\"\n")
	}
	testenv.Must(t, os.Link(filepath.Join(env.Home, "bin/docker-credential-evil"), filepath.Join(env.Home, "work/docker-credential-evil")))

	for _, verb := range []string{"get", "erase", "store", "list"} {
		for _, input := range hostileInputs {
			r := env.Run(t, verb, input, "env", "-C", filepath.Join(env.Home, "work"))
			fault.Count(t, r, checkInput(env, verb, input, r))
			if strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "internal error") {
				fault.Errorf(t, "%s %.60q: %s", verb, input, r.Stderr)
			}
			for line := range strings.Lines(r.Stderr) {
				if !strings.HasPrefix(line, testenv.Name+": ") || !testenv.IsPrintable(strings.TrimSuffix(line, "\n")) {
					fault.Errorf(t, "%s %.60q: on stderr is %q", verb, input, line)
				}
			}
		}
	}
	text := testenv.ReadFile(t, log)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `time="`) || !testenv.IsPrintable(strings.TrimSuffix(line, "\n")) {
			fault.Errorf(t, "in the log is %q", line)
		}
	}
	if _, err := os.Stat(filepath.Join(env.Home, "ran")); err == nil {
		fault.Errorf(t, "a program ran")
	}
	for _, request := range env.AWS.Requests() {
		if role := request.TargetRole; strings.HasPrefix(request.Action, "sts:") && role != testenv.PullRole {
			fault.Errorf(t, "the role %s was asked for", role)
		}
	}
	for _, to := range env.AWS.Connects() {
		if !strings.HasPrefix(to, "api.ecr") && !strings.HasPrefix(to, "sts.") || strings.Contains(to, "evil") {
			fault.Errorf(t, "it went to %s", to)
		}
	}
	testenv.Must(t, os.RemoveAll(env.TokenDir()))
	fault.MustGet(t, env, "assumed-role/pull/")
}
