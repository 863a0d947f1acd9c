package registrymap

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const example = `
fallback = "secretservice"     # hosts that aren't ECR go to docker-credential-secretservice
on_error = "fail"
timeout  = "20s"

[[registry]]                   # the first match serves
host    = "111111111111.dkr.ecr.ap-south-1.amazonaws.com"
profile = "prod"

[[registry]]
host        = "222222222222.dkr.ecr.*.amazonaws.com"
role_arn    = "arn:aws:iam::222222222222:role/path/pull"
external_id = "id"

[[registry]]
accounts = ["333333333333", "444444444444"]
regions  = ["eu-west-1", "us-east-1"]
role_arn = "arn:aws:iam::{account}:role/pull"

[[registry]]
host     = "images.example.com"
alias_of = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"

[[registry]]
host     = "own.example.com:5000"
alias_of = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
profile  = "own"

[[registry]]
host = "*.dkr.ecr.eu-*-1.amazonaws.com"
profile = "rest"
`

// options know three settings, none of which may be empty or "wrong".
var options = func() Options {
	check := func(_, text string) error {
		if text == "wrong" {
			return errors.New("is wrong")
		}
		return nil
	}
	return Options{
		Path:     func(text string) (string, error) { return text, nil },
		Settings: map[string]func(where, text string) error{"fallback": check, "on_error": check, "timeout": check},
	}
}()

func mustParse(t testing.TB, text string) Map {
	t.Helper()
	m, err := parse("map.toml", []byte(text), options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFind(t *testing.T) {
	m := mustParse(t, example)
	m.Default = Principal{RoleARN: "arn:aws:iam::111111111111:role/others"}
	role := func(account string) Principal {
		return Principal{RoleARN: "arn:aws:iam::" + account + ":role/pull"}
	}
	for server, want := range map[string]struct {
		Target
		registry string
	}{
		"https://111111111111.dkr.ecr.ap-south-1.amazonaws.com/v2/": {
			Target{Principal: Principal{Profile: "prod"}, Where: "map.toml:8"}, "111111111111.dkr.ecr.ap-south-1.amazonaws.com"},
		// A host is one host.
		"111111111111.dkr-ecr.ap-south-1.on.aws": {
			Target{Principal: m.Default, Where: "AWS_ECR_ROLE_ARN"}, "111111111111.dkr-ecr.ap-south-1.on.aws"},
		"222222222222.dkr.ecr.eu-west-1.amazonaws.com": {
			Target{Principal: Principal{RoleARN: "arn:aws:iam::222222222222:role/path/pull", ExternalID: "id"}, Where: "map.toml:10"},
			"222222222222.dkr.ecr.eu-west-1.amazonaws.com"},
		// A star ends with its label.
		"222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn": {
			Target{Principal: m.Default, Where: "AWS_ECR_ROLE_ARN"}, "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn"},
		"444444444444.dkr.ecr.us-east-1.amazonaws.com": {
			Target{Principal: role("444444444444"), Where: "map.toml:15"}, "444444444444.dkr.ecr.us-east-1.amazonaws.com"},
		// Accounts and regions go by any name.
		"444444444444.dkr.ecr-fips.us-east-1.amazonaws.com": {
			Target{Principal: role("444444444444"), Where: "map.toml:15"}, "444444444444.dkr.ecr-fips.us-east-1.amazonaws.com"},
		"https://images.example.com/team/app": {
			Target{Host: "images.example.com", Principal: role("333333333333"), Where: "map.toml:15"},
			"333333333333.dkr.ecr.eu-west-1.amazonaws.com"},
		"http://images.example.com": {
			Target{Host: "images.example.com", Principal: role("333333333333"), Where: "map.toml:15", Refusal: errPlainHTTP},
			"333333333333.dkr.ecr.eu-west-1.amazonaws.com"},
		"own.example.com:5000": {
			Target{Host: "own.example.com:5000", Principal: Principal{Profile: "own"}, Where: "map.toml:27"},
			"333333333333.dkr.ecr.eu-west-1.amazonaws.com"},
		"555555555555.dkr.ecr.eu-north-1.amazonaws.com": {
			Target{Principal: Principal{Profile: "rest"}, Where: "map.toml:31"}, "555555555555.dkr.ecr.eu-north-1.amazonaws.com"},
		"public.ecr.aws": {Target{}, "public.ecr.aws"},
	} {
		got, ok := m.Find(server)
		if want.Host == "" {
			want.Host = want.registry
		}
		want.Registry = got.Registry
		if !ok || got != want.Target || got.Registry.Host() != want.registry {
			t.Errorf("Find(%q) = %+v, %v; want %+v of %s", server, got, ok, want.Target, want.registry)
		}
	}
	for _, server := range []string{"", "docker.io", "example.com", "own.example.com", "images.example.com:80", "x@images.example.com"} {
		if got, ok := m.Find(server); ok {
			t.Errorf("Find(%q) = %+v", server, got)
		}
	}
}

func TestHosts(t *testing.T) {
	m := mustParse(t, example)
	want := []string{
		"111111111111.dkr.ecr.ap-south-1.amazonaws.com",
		"333333333333.dkr.ecr.eu-west-1.amazonaws.com", "333333333333.dkr.ecr.us-east-1.amazonaws.com",
		"444444444444.dkr.ecr.eu-west-1.amazonaws.com", "444444444444.dkr.ecr.us-east-1.amazonaws.com",
		"images.example.com", "own.example.com:5000",
	}
	if got := m.Hosts(); !slices.Equal(got, want) {
		t.Errorf("Hosts() = %q, want %q", got, want)
	}
	globs := m.Patterns()
	if len(globs) != 2 || globs[1].Where != "map.toml:29" || globs[1].Principal.Profile != "rest" {
		t.Errorf("Patterns() = %+v", globs)
	}
}

// Whatever is in the file, it is read or a mistake in one of its lines is named;
// and what is read is never a way for whoever asks to choose more than the host.
func FuzzParseMap(f *testing.F) {
	f.Add(example, "images.example.com")
	f.Add("[[registry]]\nhost = \"*.dkr.ecr.*.amazonaws.com\"\nrole_arn = \"arn:aws:iam::{account}:role/x\"", "222222222222.dkr.ecr.eu-west-1.amazonaws.com")
	f.Add("a = \"\"\"\n\n\"\"\"\nb = '\\u0000'\n[x.\"y\"]\n", "docker.io")
	f.Add("[[registry]]\nhost = \"x\"\n[[registry", "")
	f.Fuzz(func(t *testing.T, text, server string) {
		m, err := parse("map.toml", []byte(text), options)
		if err != nil {
			var mistake *Error
			if !errors.As(err, &mistake) || !strings.HasPrefix(mistake.Where, "map.toml:") {
				t.Errorf("parse: %v", err)
			}
			if len(m.entries) > 0 {
				t.Error("a map that can't be read has entries")
			}
			return
		}
		target, ok := m.Find(server)
		if arn := target.Principal.RoleARN; ok && arn != "" && !isRoleARN(arn) {
			t.Errorf("Find(%q) has the role %q", server, arn)
		}
		for _, host := range m.Hosts() {
			if target, ok := m.Find("https://" + host); !ok || target.Refusal != nil {
				t.Errorf("%q is listed, and Find says %+v, %v", host, target, ok)
			}
		}
	})
}
