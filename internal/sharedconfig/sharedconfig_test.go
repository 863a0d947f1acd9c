package sharedconfig_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"docker-credential-ecr-login/internal/sharedconfig"
)

// FuzzAsSDK compares with the SDK whatever two texts hold.
func FuzzAsSDK(f *testing.F) {
	for _, text := range []string{
		"", "[default]\nrole_arn = r\nsource_profile = base\n[profile base]\naws_access_key_id=a\naws_secret_access_key = b",
		"[profile x] # c\r\nsso_session = s ; c\r\n[sso-session s]\nsso_region = r\nsso_start_url: u\n",
		"[default]\nregion=\n a = b\n c\nrole_arn = 'q'\n more\n", "[ profile  a b ]\nlogin_session=\"x\" y\n[default]\n[profile default]\ncredential_process = p",
		"x = 1\n[x\ny = 2\n[]\nz=3\n[DEFAULT]\n[profile]\n#c\n ;c\n", "[default]\naws_access_key_id = a\n[profile y]\naws_secret_access_key=\naws_access_key_id=k",
	} {
		f.Add(text, text)
		f.Add(text, "[default]\naws_access_key_id = k\naws_secret_access_key =\n")
		f.Add("[profile x]\nsource_profile = x\nrole_arn = r\ncredential_source = Environment\n", strings.ReplaceAll(text, "profile ", ""))
	}
	f.Fuzz(compare)
}

// TestAsSDK compares texts made of the pieces of configurations, many of them with mistakes.
func TestAsSDK(t *testing.T) {
	pieces := []string{
		"[default]", "[profile default]", "[x]", "[profile x]", "[ profile  y ]", "[profile x] # c", "[x", "[sso-session s]", "[y]", "[DEFAULT]", "[]", "[profile]",
		"role_arn = arn:aws:iam::111111111111:role/r", "source_profile = x", "source_profile=y", "source_profile = default", "credential_source = Ec2InstanceMetadata",
		"aws_access_key_id = AKIA1", "aws_secret_access_key = s1", "aws_secret_access_key =", "AWS_ACCESS_KEY_ID: AKIA2", "aws_session_token = t",
		"web_identity_token_file = /t", "  more", "\tk = v", " region = eu-west-1", "region =", "region = 'eu-west-1 '", "sso_session = s", "sso_start_url = u", "sso_region = r",
		"sso_account_id = 1", "sso_role_name = n", "login_session = l", `credential_process = "/a b/c" "d"`, "credential_process = /p # c", "# c", " ; c", "junk", "", "x: y\r",
	}
	for range 3000 {
		text := func() string {
			var lines []string
			for range rand.N(14) {
				lines = append(lines, pieces[rand.N(len(pieces))])
			}
			return strings.Join(lines, "\n")
		}
		compare(t, text(), text())
		if t.Failed() {
			return
		}
	}
}

func compare(t *testing.T, configText, credentialsText string) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if _, quoted := sharedconfig.Unquoted(configText); quoted {
		return // the one difference
	}
	configFile, credentialsFile := write("config", configText), write("credentials", credentialsText)
	profiles := sharedconfig.Texts{Config: configText, Credentials: credentialsText}.Profiles()
	for _, name := range append(slices.Sorted(maps.Keys(profiles)), "default", "x", "y") {
		cfg, err := load(name, configFile, credentialsFile)
		panics := errors.Is(err, errPanic)
		if readable := sharedconfig.IsReadable(configText) && sharedconfig.IsReadable(credentialsText); readable == panics {
			t.Errorf("IsReadable is %v, the SDK says %v\n--- config\n%s\n--- credentials\n%s", readable, err, configText, credentialsText)
		}
		if panics {
			continue
		}
		chain := profiles.Chain(name)
		if _, absent := err.(config.SharedConfigProfileNotExistError); absent != (len(chain) == 0) {
			t.Errorf("profile %q: %d links, the SDK says %v\n--- config\n%s\n--- credentials\n%s", name, len(chain), err, configText, credentialsText)
			continue
		}
		if err != nil {
			if !slices.ContainsFunc(chain, func(p sharedconfig.Profile) bool { return p.HasHalfKeys() }) && strings.Contains(err.Error(), "partial credentials") {
				t.Errorf("profile %q: the SDK says %v", name, err)
			}
			continue
		}
		for link := &cfg; link != nil || len(chain) > 0; link = link.Source {
			if link == nil || len(chain) == 0 {
				t.Errorf("profile %q: %d links too many, or too few\n--- config\n%s\n--- credentials\n%s", name, len(chain), configText, credentialsText)
				break
			}
			if got, want := words(chain[0]), wordsOf(link); got != want {
				t.Errorf("profile %q: %s\nthe SDK: %s\n--- config\n%s\n--- credentials\n%s", name, got, want, configText, credentialsText)
			}
			chain = chain[1:]
		}
	}
}

var errPanic = errors.New("panic")

// load returns what the SDK reads, and an error for what it panics on.
func load(name, configFile, credentialsFile string) (cfg config.SharedConfig, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	return config.LoadSharedConfigProfile(context.Background(), name, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles, o.Logger = []string{configFile}, []string{credentialsFile}, logging.Nop{}
	})
}

func words(p sharedconfig.Profile) string {
	keys := ""
	if p.HasKeys() {
		keys = p.Get("aws_access_key_id") + "/" + p.Get("aws_secret_access_key") + "/" + p.Get("aws_session_token")
	}
	return fmt.Sprintf("%q", []string{
		p.Name, keys, p.Get("role_arn"), p.Get("credential_source"), p.Get("web_identity_token_file"), p.Get("credential_process"),
		p.Get("sso_session"), p.Get("sso_start_url"), p.Get("sso_account_id"), p.Get("login_session"), p.Get("region"), p.Get("external_id"),
	})
}

func wordsOf(p *config.SharedConfig) string {
	keys := ""
	if p.Credentials.HasKeys() {
		keys = p.Credentials.AccessKeyID + "/" + p.Credentials.SecretAccessKey + "/" + p.Credentials.SessionToken
	}
	return fmt.Sprintf("%q", []string{
		p.Profile, keys, p.RoleARN, p.CredentialSource, p.WebIdentityTokenFile, p.CredentialProcess,
		p.SSOSessionName, p.SSOStartURL, p.SSOAccountID, p.LoginSession, p.Region, p.ExternalID,
	})
}

func TestUnquoted(t *testing.T) {
	got, ok := sharedconfig.Unquoted("[default]\n[profile 'my dev'] # c\nsso_session = My Corp\n[ sso-session  \"My Corp\" ]\n[profile x]\n['x y']\n")
	if want := "[default]\n[profile my dev]\nsso_session = My Corp\n[sso-session My Corp]\n[profile x]\n['x y']\n"; got != want || !ok {
		t.Errorf("%v\n%s", ok, got)
	}
	for header, want := range map[string]string{
		`[profile my\ dev]`: "my dev", `[profile my" dev"]`: "my dev", `[profile "my"' dev']`: "my dev", `[services "my svc"]`: "my svc",
		`[profile "a\"b"]`: `a"b`, `[profile 'a\b']`: `a\b`,
	} {
		if got, ok := sharedconfig.Unquoted(header + "\n"); !ok || !strings.HasSuffix(got, " "+want+"]\n") {
			t.Errorf("%s: %s, %v; want %s", header, got, ok, want)
		}
	}
	for _, header := range []string{`[profile "my]`, `[profile "my" dev]`, `["my dev"]`} {
		if got, ok := sharedconfig.Unquoted(header + "\n"); ok {
			t.Errorf("%s: %s, which is more than a name", header, got)
		}
	}
	if _, ok := sharedconfig.Unquoted("[profile x]\n"); ok {
		t.Error("nothing was in quotes")
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, config, credentials, want string }{
		{"nothing", "", "", ""},
		{"all well", "# c\n[default]\nregion = r\n a = b\n\n[profile x]\n", "[x]\n[default]\n", ""},
		{"another profile's line", "[default]\n[profile z]\njunk\n", "", ""},
		{"a line", "[default]\njunk\n", "", "config: line 2: it is neither a section nor of the form key = value"},
		{"a line of nobody's", "---\n[default]\n[plugins]\njunk\n", "---\n", ""},
		{"a line of x", "[profile x]\n\njunk\n", "", "config: line 3: it is neither a section nor of the form key = value"},
		{"a bracket", "[default]\n[profile z\n", "", "config: line 2: it begins a section, and no closing bracket comes before its end, or before a # or a ;"},
		{"no section", "role_arn = r\n", "", "config: line 1: it stands before the first section"},
		{"a quote", "[profile z]\nregion = \"\n", "", "config: line 2: its value is a single quote"},
		{"a byte order mark", "", "\ufeff[default]\n", "credentials: it begins with a byte order mark, so that its first section isn't found; save it as UTF-8 without one"},
		{"a byte order mark before a comment", "\ufeff# c\n[default]\n", "", ""},
		{"the other file has it", "[x]\na = b\n", "[x]\na = b\n", ""},
		{"UTF-16", "", "\xff\xfe[\x00", "credentials: it isn't UTF-8 text; save it as UTF-8"},
		{"the other file's form", "[x]\na = b\n", "", "config: it has [x], which the SDK skips; in this file it has to be [profile x]"},
		{"the other file's form", "", "[profile default]\na = b\n", "credentials: it has [profile default], which the SDK skips; in this file it has to be [default]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			used := []string{"default", "x"}
			texts := sharedconfig.Texts{Config: tt.config, Credentials: tt.credentials}
			if p, ok := texts.Check(sharedconfig.Config, used); ok {
				got = "config: " + p.String()
			} else if p, ok := texts.Check(sharedconfig.Credentials, used); ok {
				got = "credentials: " + p.String()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
