package awsapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// write writes a file of a temporary directory, and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A request that can't be meant as it is stops before AWS is asked: with what the reason says.
func TestCheck(t *testing.T) {
	const (
		keys     = "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b "
		token    = "AWS_WEB_IDENTITY_TOKEN_FILE=/jwt "
		metadata = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
	)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxBundle+1); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("none", link); err != nil {
		t.Fatal(err)
	}
	dir, text := t.TempDir(), write(t, "text")
	mapped := registrymap.Principal{RoleARN: "r", WebIdentityTokenEnv: "X"}
	for _, c := range []struct {
		env       string // without blanks; ␣ is one, and ↵ the end of a line
		config    string
		principal registrymap.Principal
		want      string // of the reason, empty for no error
	}{
		{},
		{env: keys + token},

		// Variables.
		{env: "AWS_ACCESS_KEY_ID=a", want: "AWS_SECRET_ACCESS_KEY isn't set"},
		{env: "AWS_SECRET_KEY=a", want: "AWS_ACCESS_KEY_ID isn't set"},
		{env: "AWS_ACCESS_KEY_ID=a AWS_PROFILE=p"},
		{env: "AWS_ACCESS_KEY_ID=a", principal: registrymap.Principal{Profile: "p"}},
		{env: "AWS_ACCESS_KEY_ID=a", principal: mapped},
		{env: "AWS_PROFILE=p␣", want: "AWS_PROFILE has a blank"},
		{env: "AWS_DEFAULT_PROFILE=p↵", want: "AWS_DEFAULT_PROFILE has a blank"},
		{env: keys + "AWS_PROFILE=p␣"},
		{env: token + "AWS_PROFILE=p␣"},
		{env: "AWS_PROFILE=p␣", principal: mapped},
		{env: token + "AWS_ROLE_ARN=r␣", want: "AWS_ROLE_ARN has a blank"},
		{env: "AWS_WEB_IDENTITY_TOKEN_FILE=/jwt↵", want: "AWS_WEB_IDENTITY_TOKEN_FILE has a blank"},
		{env: keys + token + "AWS_ROLE_ARN=r␣"},
		{env: token + "AWS_ROLE_ARN=r␣", principal: registrymap.Principal{Profile: "p"}},
		{env: token + "AWS_ROLE_ARN=r␣", principal: registrymap.Principal{RoleARN: "r", WebIdentityTokenFile: "/jwt"}},
		{env: "AWS_ROLE_ARN=r␣"},
		{env: "AWS_ENDPOINT_URL_STS=x↵", want: "AWS_ENDPOINT_URL_STS has a blank"},
		{env: "AWS_USE_FIPS_ENDPOINT=true␣", want: "AWS_USE_FIPS_ENDPOINT has a blank"},

		// Proxies.
		{env: "HTTPS_PROXY=http://p:1"},
		{env: "HTTPS_PROXY=ftp://p:1", want: "HTTPS_PROXY isn't the URL of a proxy"},
		{env: "https_proxy=http://u:a/b@p:1", want: "https_proxy isn't the URL of a proxy"},
		{env: "HTTPS_PROXY=ftp://p:1 no_proxy=a,␣*"},
		{env: "HTTP_PROXY=ftp://p:1"},

		// CA certificates.
		{env: "AWS_CA_BUNDLE=~/ca", want: "AWS_CA_BUNDLE: \"~/ca\" begins with ~"},
		{env: "AWS_CA_BUNDLE=/dev/zero", want: "/dev/zero, which is a device"},
		{env: "SSL_CERT_FILE=/dev/zero", want: "/dev/zero, which is a device"},
		{env: "AWS_CA_BUNDLE=" + dir, want: "is a folder"},
		{env: "AWS_CA_BUNDLE=" + large, want: "is of 16777217 bytes"},
		{env: "AWS_CA_BUNDLE=" + text, want: "can't be used: it holds no certificates"},
		{env: "AWS_CA_BUNDLE=/none"},
		{env: "AWS_CA_BUNDLE=" + os.DevNull},
		{env: "SSL_CERT_FILE=" + text},

		// The files of the AWS configuration.
		{env: "AWS_CONFIG_FILE=~x/y", want: "AWS_CONFIG_FILE: "},
		{env: keys + "AWS_CONFIG_FILE=~x/y"},
		{env: "AWS_CONFIG_FILE=" + dir, want: dir + ", which is a folder"},
		{env: "AWS_CONFIG_FILE=" + large, want: large + ", which is of 16777217 bytes"},
		{env: "AWS_SHARED_CREDENTIALS_FILE=" + link, want: link + " is a link to a file that doesn't exist"},
		{env: "AWS_SHARED_CREDENTIALS_FILE=/none"},
		{env: "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull},
		{env: keys + "AWS_CONFIG_FILE=" + dir},
		{config: "[default]\nregion\n", want: "HOME/.aws/config: line 2"},
		{env: keys, config: "[default]\nregion\n"},
		{env: "AWS_DEFAULT_PROFILE=p", want: `there is no profile "p", which AWS_DEFAULT_PROFILE names`},
		{env: "AWS_DEFAULT_PROFILE=p", config: "[profile p]\nregion=x\n"},
		{config: "[default]\naws_access_key_id=a\n", want: "profile default in HOME/.aws/config or HOME/.aws/credentials has an access key without its secret"},
		{config: "[default]\nrole_arn=r\n  x\nsource_profile=b\n[profile b]\n", want: `profile default in`},
		{config: "[default]\nweb_identity_token_file=~/jwt\nrole_arn=r\n", want: `web_identity_token_file: "~/jwt" begins with ~`},

		// What the source of the credentials depends on.
		{env: "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://x␣", want: "AWS_CONTAINER_CREDENTIALS_FULL_URI has a blank"},
		{env: "AWS_CONTAINER_CREDENTIALS_FULL_URI=x AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/dev/zero", want: "/dev/zero, which is a device"},
		{env: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/dev/zero"},
		{env: "AWS_EC2_METADATA_DISABLED=True"},
		{env: "AWS_EC2_METADATA_DISABLED=no"},
		{env: "AWS_EC2_METADATA_DISABLED=1", want: `AWS_EC2_METADATA_DISABLED is "1", which turns nothing off`},
		{env: keys + "AWS_EC2_METADATA_DISABLED=1"},
		{env: metadata + "=http://h:1"},
		{env: metadata + "=h:1", want: metadata + " isn't the URL"},
		{config: "[default]\nec2_metadata_service_endpoint=h\n", want: "ec2_metadata_service_endpoint of profile default isn't the URL"},
	} {
		env := strings.Fields(c.env)
		for i := range env {
			env[i] = strings.NewReplacer("␣", " ", "↵", "\n").Replace(env[i])
		}
		home := t.TempDir()
		if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, ".aws/config"), []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		r := tokensource.Resolver{Env: config.Env(env)}
		r.Settings.Home = home
		err := newChain(r.NewRequest(registrymap.Target{Principal: c.principal})).check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q, %q, %+v: %v", env, c.config, c.principal, err)
		case c.want != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), home, "HOME"), c.want)):
			t.Errorf("%q, %q, %+v: %v, want %q", env, c.config, c.principal, err, c.want)
		}
	}
}

// The text of a pipe is read once, for the SDK, as the identity leaves it alone.
func TestConfigurationInPipe(t *testing.T) {
	pipe := newPipe(t)
	c := newChain(newRequest(t, "AWS_CONFIG_FILE="+pipe))
	go os.WriteFile(pipe, []byte("[default]\ncredential_process=p\n"), 0o600)
	if err := c.check(); err != nil || c.source.Name() != "the credential_process of profile default" {
		t.Errorf("the credentials come from %s, %v", c.source.Name(), err)
	}
}

func TestIsProxy(t *testing.T) {
	for text, want := range map[string]bool{
		"http://p:3128":           true,
		"https://u:secret@p":      true,
		"socks5://p:1":            true,
		"socks5h://p:1":           true,
		"p:3128":                  true,
		"u:secret@p:3128":         true,
		"http://u:a%2Fb@p:3128":   true,
		"ftp://p:3128":            false,
		"http://":                 false,
		"http://p:port":           false,
		" http://p:3128":          false,
		"http://u:a/b@p:3128":     false,
		"http://u:a?b@p:3128":     false,
		"http://u:a#b@p:3128":     false,
		"u:a/b@p:3128":            false,
		"http://u:a%@p:3128":      false,
		"http://u:a b@p:3128":     false,
		"http://p:3128\n":         false,
		"http://p:3128/a/path/to": true,
	} {
		if got := isProxy(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
