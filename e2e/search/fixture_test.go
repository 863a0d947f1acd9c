package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
	"docker-credential-ecr-login/internal/registry"
)

const (
	startURL       = "https://acme.awsapps.com/start"
	containerToken = "the-token-of-the-container"
	loginSession   = "arn:aws:iam::111111111111:user/person"
)

// fixture is a stand-in for AWS with principals, the home of the helper, and the home of the
// oracle. In the latter, everything is written in the form that the SDK understands.
type fixture struct {
	*testenv.Env
	oracleHome, oracle string
	tokens             []string // by subject
	sso                []string // login files, by user
	logins             []string
	answers            map[string]string // of the oracle, by question
}

func newFixture(t testing.TB, helper, oracle string) *fixture {
	f := &fixture{Env: testenv.New(t), oracleHome: t.TempDir(), oracle: oracle, answers: map[string]string{}}
	f.SetBinary(helper)
	f.NoTimeouts()
	for i := range perKind {
		f.AWS.AddUser(user(i), key(i), secret(i))
		// Each role trusts all users but one, and one subject.
		subject := workload(i % 2)
		role := awstest.Role{ARN: role(i), WebIdentity: &subject}
		for j := range perKind {
			if i != j || i == 2 {
				role.Trusts = append(role.Trusts, user(j))
			}
		}
		role.Trusts = append(role.Trusts, testenv.RunnerRole)
		f.AWS.AddRole(role)
		f.tokens = append(f.tokens, workload(i).Token(time.Now().Add(24*time.Hour)))
		person := f.AWS.AddSSOUser(fmt.Sprintf("person%d@example.com", i), startURL, "eu-west-1", "222222222222", "Developer")
		f.sso = append(f.sso, testenv.JSON(t, person))
		login, err := f.AWS.AddLogin(user(i))
		testenv.Must(t, err)
		f.logins = append(f.logins, testenv.JSON(t, login))
	}
	f.AWS.AddRole(awstest.Role{ARN: testenv.RunnerRole})
	f.AWS.SetInstanceRole(testenv.RunnerRole)
	f.AWS.AddRole(awstest.Role{ARN: "arn:aws:iam::111111111111:role/task"})
	f.AWS.SetContainerRole("arn:aws:iam::111111111111:role/task", containerToken)
	return f
}

// The last principal of each kind is of another partition.
func partition(i int) string { return []string{"aws", "aws", "aws-us-gov"}[i] }
func user(i int) string      { return fmt.Sprintf("arn:%s:iam::111111111111:user/user%d", partition(i), i) }
func role(i int) string      { return fmt.Sprintf("arn:%s:iam::222222222222:role/role%d", partition(i), i) }
func key(i int) string       { return fmt.Sprintf("AKIAIOSFODNN7EXAMPL%d", i) }
func secret(i int) string    { return fmt.Sprintf("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE%d", i) }
func workload(i int) awstest.WebIdentity {
	return awstest.WebIdentity{Issuer: "https://ci.example.com", Subject: fmt.Sprint("subject", i), Audience: "sts.amazonaws.com"}
}

// files returns the files of a state, by path below the home. A file that doesn't exist has no
// text. If plain is true, the files have the form that the SDK understands.
func (f *fixture) files(s state, home string, plain bool) map[string]string {
	files := map[string]string{
		"tokens/0": "", "tokens/1": "",
		".aws/sso/cache/" + ssoFile(0): "", ".aws/sso/cache/" + ssoFile(1): "", ".aws/sso/cache/tool.json": "",
		".aws/login/cache/" + loginFile: "",
	}
	config, credentials := "", ""
	for _, name := range names {
		p, ok := s.profiles[name]
		switch {
		case !ok || p.kind == "absent":
		case p.inCredentials:
			credentials += "[" + name + "]\n" + p.text(home)
		case name == "default":
			config += "[default]\n" + p.text(home)
		case p.quoted && !plain:
			config += "[profile '" + name + "']\n" + p.text(home)
		default:
			config += "[profile " + name + "]\n" + p.text(home)
		}
	}
	for i := range 2 {
		config += fmt.Sprintf("[sso-session s%d]\nsso_region = eu-west-1\nsso_start_url = %s\n", i, startURL)
	}
	if !plain {
		switch s.defect {
		case "byte order mark":
			config = "\ufeff" + config
		case "broken line":
			config += "[\n"
		case "half of a profile":
			config += "[" + profileHeader(s.chain()[0]) + "]\naws_access_key_id = x\n"
		case "wrong section":
			credentials += "[profile default]\naws_access_key_id = x\naws_secret_access_key = y\n"
		case "another tool's login":
			files[".aws/sso/cache/tool.json"] = "{}"
		}
	}
	files[configPath(s)], files[".aws/credentials"] = config, credentials
	for i := range 2 {
		if subject := s.tokens[i]; subject >= 0 {
			files[fmt.Sprint("tokens/", i)] = f.tokens[subject]
		}
		if person := s.sso[i]; person >= 0 {
			files[".aws/sso/cache/"+ssoFile(i)] = f.sso[person]
		}
	}
	if s.login >= 0 {
		files[".aws/login/cache/"+loginFile] = f.logins[s.login]
	}
	if !plain {
		files[".ecr/config.toml"] = s.ownMap.text(home, targets[s.target].host)
	}
	for _, path := range tornPaths(s) {
		files[path] = ""
	}
	return files
}

func profileHeader(name string) string {
	if name == "default" {
		return name
	}
	return "profile " + name
}

func configPath(s state) string {
	if s.moved {
		return "moved/config"
	}
	return ".aws/config"
}

// tornPaths returns the files that are empty because they are being written.
func tornPaths(s state) []string {
	return map[string][]string{
		"both": {configPath(s), ".aws/credentials"}, "config": {configPath(s)}, "credentials": {".aws/credentials"}, "map": {".ecr/config.toml"}, "token": {"tokens/0", "tokens/1"},
		"sso": {".aws/sso/cache/" + ssoFile(0), ".aws/sso/cache/" + ssoFile(1)}, "login": {".aws/login/cache/" + loginFile},
	}[s.torn]
}

// ssoFile returns the file of an SSO session. Its name is the SHA-1 of the session's name; the name
// of loginFile is the SHA-256 of loginSession.
func ssoFile(session int) string {
	return []string{"2d6c8a6d5e3ae20b7052d2b615b35f520c50f090.json", "640d87e741e6aa4c669a82a4cd304787960513ab.json"}[session]
}

const loginFile = "104ae067f8a934c331e79298c7cd62d7a4667c26187004f375e6191d1f01a14c.json"

func (p profile) text(home string) string {
	var lines []string
	add := func(key, value string) { lines = append(lines, key+" = "+value) }
	switch p.kind {
	case "keys":
		add("aws_access_key_id", key(p.user))
		add("aws_secret_access_key", secret(p.user))
	case "role":
		add("role_arn", role(p.role))
		add("source_profile", p.source)
	case "role of the environment":
		add("role_arn", role(p.role))
		add("credential_source", "Environment")
	case "role of the instance":
		add("role_arn", role(p.role))
		add("credential_source", "Ec2InstanceMetadata")
	case "process":
		add("credential_process", fmt.Sprintf(`printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}'`, key(p.user), secret(p.user)))
	case "web identity":
		add("role_arn", role(p.role))
		add("web_identity_token_file", fmt.Sprintf("%s/tokens/%d", home, p.token))
	case "SSO":
		add("sso_session", fmt.Sprint("s", p.session))
		add("sso_account_id", "222222222222")
		add("sso_role_name", "Developer")
	case "login":
		add("login_session", loginSession)
	}
	if p.hasRegion {
		add("region", "eu-west-1")
	}
	return strings.Join(append(lines, ""), "\n")
}

func (e entry) text(home, host string) string {
	text := "[[registry]]\nhost = \"" + host + "\"\n"
	switch e.kind {
	case "profile":
		return text + "profile = \"" + e.profile + "\"\n"
	case "role":
		return text + "role_arn = \"" + role(e.role) + "\"\n"
	case "profile and role":
		return text + "profile = \"" + e.profile + "\"\nrole_arn = \"" + role(e.role) + "\"\n"
	case "web identity":
		return text + "role_arn = \"" + role(e.role) + "\"\nweb_identity_token_file = \"" + home + fmt.Sprintf("/tokens/%d\"\n", e.token)
	}
	return ""
}

// environment returns the environment variables of a state.
func (f *fixture) environment(s state, home string, plain bool) []string {
	region, target := s.region, targets[s.target].region
	if plain { // in the form that the SDK understands
		if region = strings.TrimSpace(region); region == "" || registry.Partition(region) != registry.Partition(target) {
			region = target
		}
	}
	env := slices.DeleteFunc(slices.Clone(f.Vars), func(kv string) bool { return strings.HasPrefix(kv, "HOME=") })
	add := func(name, value string) {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	add("HOME", home)
	add("AWS_REGION", region)
	add("AWS_PROFILE", s.profile)
	if s.keys >= 0 {
		add("AWS_ACCESS_KEY_ID", key(s.keys))
		add("AWS_SECRET_ACCESS_KEY", secret(s.keys))
	}
	if s.webIdentity >= 0 {
		add("AWS_ROLE_ARN", role(s.webIdentity))
		add("AWS_WEB_IDENTITY_TOKEN_FILE", fmt.Sprintf("%s/tokens/%d", home, s.token))
	}
	if s.container {
		add("AWS_CONTAINER_CREDENTIALS_FULL_URI", f.AWS.ContainerURL())
		add("AWS_CONTAINER_AUTHORIZATION_TOKEN", containerToken)
	}
	if s.moved && s.tilde && !plain {
		add("AWS_CONFIG_FILE", "~/moved/config")
	} else if s.moved {
		add("AWS_CONFIG_FILE", home+"/moved/config")
	}
	if s.defect == "default profile" {
		add("AWS_DEFAULT_PROFILE", "absent")
	}
	if !plain {
		switch s.defect {
		case "half of the keys":
			if s.keys < 0 {
				add("AWS_ACCESS_KEY_ID", key(0))
			}
		case "relative path":
			add("AWS_CONFIG_FILE", "config")
		case "proxy":
			add("HTTPS_PROXY", "http://user:pass%word@127.0.0.1:1")
		case "metadata off":
			add("AWS_EC2_METADATA_DISABLED", "1")
		}
	}
	return env
}

// writeHome writes the helper's home of a state.
func (f *fixture) writeHome(s state) error {
	err := write(f.Home, f.files(s, f.Home, false))
	dir := filepath.Join(f.Home, ".aws/config")
	if s.moved {
		dir = filepath.Join(f.Home, "moved/config")
	}
	if s.defect == "directory" {
		os.Remove(dir)
		err = errors.Join(err, os.MkdirAll(dir, 0o700))
	}
	return err
}

// write writes files, and removes those that have no text.
func write(home string, files map[string]string) error {
	for path, text := range files {
		path = filepath.Join(home, path)
		if old, err := os.ReadFile(path); err == nil && string(old) == text {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			os.Remove(path)
		}
		if text == "" {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// get runs the helper. It returns the principal of the token, or the reason why there is none.
func (f *fixture) get(s state) (principal, reason string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := f.Command(ctx, "get", targets[s.target].host)
	cmd.Env = f.environment(s, f.Home, false)
	r, err := testenv.Capture(cmd)
	if err != nil {
		return "", "", err
	}
	if r.Status != 0 {
		if r.Stdout != testenv.NotFound || strings.Count(r.Stderr, "\n") != 1 || strings.Contains(r.Stderr, "internal error") {
			return "", "", fmt.Errorf("no clear error: %q, %q", r.Stdout, r.Stderr)
		}
		return "", r.Stderr, nil
	}
	password, err := r.Password()
	if err != nil {
		return "", "", err
	}
	who, err := f.AWS.VerifyToken(password, targets[s.target].host)
	if err != nil && !errors.Is(err, awstest.ErrNotPermitted) {
		return "", "", err
	}
	return withoutSession(who), "", nil
}

// wantPrincipal returns the principal that the SDK finds for a state: an ARN without the session's
// name, or nothing.
func (f *fixture) wantPrincipal(s state) (string, error) {
	files, env, args := f.files(s, f.oracleHome, true), f.environment(s, f.oracleHome, true), []string{}
	e := s.ownMap
	if s.torn == "map" {
		e.kind = "none"
	}
	if e.kind == "profile" || e.kind == "profile and role" {
		args = append(args, "-profile", e.profile)
	}
	if e.kind == "role" || e.kind == "profile and role" || e.kind == "web identity" {
		args = append(args, "-role", role(e.role))
	}
	if e.kind == "web identity" {
		args = append(args, "-token", fmt.Sprintf("%s/tokens/%d", f.oracleHome, e.token))
	}
	input := fmt.Sprintf("%q %q %q", files, env, args)
	if answer, ok := f.answers[input]; ok {
		return answer, nil
	}
	os.RemoveAll(filepath.Join(f.oracleHome, "moved"))
	if err := write(f.oracleHome, files); err != nil {
		return "", err
	}
	var out strings.Builder
	cmd := exec.Command(f.oracle, args...)
	cmd.Env, cmd.Stdout = env, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	answer := withoutSession(strings.TrimSpace(out.String()))
	if answer == "" && !s.usesProfile() && s.torn == "" {
		// The SDK also fails on profiles that aren't used.
		without := s.clone()
		without.torn = "both"
		if answer, err = f.wantPrincipal(without); err != nil {
			return "", err
		}
	}
	f.answers[input] = answer
	return answer, nil
}

var session = regexp.MustCompile(`(:assumed-role/(?:role|runner|task)[^/]*)/.*`)

// withoutSession removes the name of a session, but not that of an SSO user.
func withoutSession(arn string) string { return session.ReplaceAllString(arn, "$1") }
