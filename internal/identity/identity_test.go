package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
)

// home makes a home with files, given as path and text.
func home(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func jwt(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + "." + part([]byte("signature"))
}

// Each change of an input makes another identity, or doesn't.
func TestKey(t *testing.T) {
	const roleProfile = "[default]\nrole_arn = arn:aws:iam::111122223333:role/pull\nsource_profile = base\n"
	container := config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=a", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=HOME/token"}
	const ssoProfile = "[default]\nsso_session = x\n"
	for _, c := range []struct {
		name          string
		before, after config.Env
		files         map[string]string // beside those below
		changed       map[string]string
		same          bool
	}{
		{name: "nothing", same: true},
		{name: "an unrelated variable", after: config.Env{"LANG=C"}, same: true},
		{name: "our own variable", after: config.Env{"AWS_ECR_TIMEOUT=1s"}, same: true},
		{
			name:   "the order of variables",
			before: config.Env{"AWS_REGION=a", "AWS_PROFILE=b"}, after: config.Env{"AWS_PROFILE=b", "AWS_REGION=a"}, same: true,
		},
		{name: "a key", before: config.Env{"AWS_ACCESS_KEY_ID=a"}, after: config.Env{"AWS_ACCESS_KEY_ID=b"}},
		{name: "a secret", before: config.Env{"AWS_SECRET_ACCESS_KEY=a"}, after: config.Env{"AWS_SECRET_ACCESS_KEY=b"}},
		{name: "an endpoint", after: config.Env{"AWS_ENDPOINT_URL_ECR=http://127.0.0.1:1"}},
		{name: "a variable we don't know", after: config.Env{"AWS_NEW_THING=1"}},
		{name: "the profile", after: config.Env{"AWS_PROFILE=x"}},
		{
			name:   "a boundary between variables",
			before: config.Env{"AWS_A=bAWS_C=d"}, after: config.Env{"AWS_A=b", "AWS_C=d"},
		},
		{
			name:    "the role",
			files:   map[string]string{".aws/config": roleProfile},
			changed: map[string]string{".aws/config": strings.Replace(roleProfile, "pull", "push", 1)},
		},
		{
			name:    "rotated keys of the source profile",
			files:   map[string]string{".aws/config": roleProfile, ".aws/credentials": "[base]\naws_access_key_id=a\n"},
			changed: map[string]string{".aws/credentials": "[base]\naws_access_key_id=b\n"},
		},
		{
			name:    "a logout of SSO",
			files:   map[string]string{".aws/config": ssoProfile, ".aws/sso/cache/x.json": "{}"},
			changed: map[string]string{".aws/sso/cache/x.json": ""},
		},
		{
			name:    "a login that isn't used",
			files:   map[string]string{".aws/config": roleProfile, ".aws/credentials": "[base]\naws_access_key_id=a\naws_secret_access_key=b\n"},
			changed: map[string]string{".aws/sso/cache/x.json": "{}"}, same: true,
		},
		{
			name:    "another login",
			files:   map[string]string{".aws/config": "[default]\nlogin_session = x\n"},
			changed: map[string]string{".aws/login/cache/x.json": "{}"},
		},
		{
			name:   "a login in a folder of its own",
			before: config.Env{"AWS_LOGIN_CACHE_DIRECTORY=HOME/logins"}, after: config.Env{"AWS_LOGIN_CACHE_DIRECTORY=HOME/logins"},
			files:   map[string]string{".aws/config": "[default]\nlogin_session = x\n"},
			changed: map[string]string{"logins/x.json": "{}"},
		},
		{
			name:    "a login under another name",
			files:   map[string]string{".aws/config": ssoProfile, ".aws/sso/cache/x.json": "{}"},
			changed: map[string]string{".aws/sso/cache/x.json": "", ".aws/sso/cache/y.json": "{}"},
		},
		{
			name:   "a rotated web identity token",
			before: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"}, after: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"},
			files:   map[string]string{"jwt": jwt(`{"iss":"i","sub":"s","aud":"a","exp":1}`)},
			changed: map[string]string{"jwt": jwt(`{"iss":"i","sub":"s","aud":"a","exp":2}`)}, same: true,
		},
		{
			name:   "another subject",
			before: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"}, after: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"},
			files:   map[string]string{"jwt": jwt(`{"iss":"i","sub":"s","aud":"a"}`)},
			changed: map[string]string{"jwt": jwt(`{"iss":"i","sub":"z","aud":"a"}`)},
		},
		{
			name:   "other session tags",
			before: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"}, after: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"},
			files:   map[string]string{"jwt": jwt(`{"sub":"s","https://aws.amazon.com/tags":{"principal_tags":{"x":["1"]}}}`)},
			changed: map[string]string{"jwt": jwt(`{"sub":"s","https://aws.amazon.com/tags":{"principal_tags":{"x":["2"]}}}`)},
		},
		{
			name:   "another source identity",
			before: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"}, after: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=HOME/jwt"},
			files:   map[string]string{"jwt": jwt(`{"sub":"s","https://aws.amazon.com/source_identity":"a"}`)},
			changed: map[string]string{"jwt": jwt(`{"sub":"s","https://aws.amazon.com/source_identity":"b"}`)},
		},
		{
			name:   "another subject in a token that a profile with a space names",
			before: config.Env{"AWS_PROFILE=my ci"}, after: config.Env{"AWS_PROFILE=my ci"},
			files:   map[string]string{".aws/config": "[profile my ci]\nweb_identity_token_file = HOME/jwt\n", "jwt": jwt(`{"sub":"s"}`)},
			changed: map[string]string{"jwt": jwt(`{"sub":"z"}`)},
		},
		{
			name:   "another subject in a token that isn't used",
			before: config.Env{"AWS_PROFILE=x"}, after: config.Env{"AWS_PROFILE=x"},
			files:   map[string]string{".aws/config": "[profile ci]\nweb_identity_token_file = HOME/jwt\n", "jwt": jwt(`{"sub":"s"}`)},
			changed: map[string]string{"jwt": jwt(`{"sub":"z"}`)}, same: true,
		},
		{
			name:   "another subject in a token the config names",
			before: config.Env{"AWS_PROFILE=ci"}, after: config.Env{"AWS_PROFILE=ci"},
			files:   map[string]string{".aws/config": "[profile ci]\nweb_identity_token_file = \"HOME/jwt\" # of CI\n", "jwt": jwt(`{"sub":"s"}`)},
			changed: map[string]string{"jwt": jwt(`{"sub":"z"}`)},
		},
		{
			name:   "a container token that is no JWT",
			before: container, after: container,
			files:   map[string]string{"token": "a.b.c"},
			changed: map[string]string{"token": "a.b.d"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := home(t, nil)
			write := func(files map[string]string) {
				for path, text := range files {
					path = filepath.Join(dir, path)
					if text == "" {
						os.Remove(path)
						continue
					}
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "HOME", dir)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			read := func(env config.Env) Identity {
				var here config.Env
				for _, kv := range env {
					here = append(here, strings.ReplaceAll(kv, "HOME", dir))
				}
				return Read(here, dir, registrymap.Principal{})
			}
			write(c.files)
			before := read(c.before)
			write(c.changed)
			after := read(c.after)
			if (before.Key == after.Key) != c.same {
				t.Errorf("same identity is %v, want %v", before.Key == after.Key, c.same)
			}
		})
	}
}

func TestSameLogin(t *testing.T) {
	dir := home(t, map[string]string{".aws/config": "[default]\nsso_session = x\n", ".aws/sso/cache/x.json": `{"accessToken": "1"}`})
	before := Read(nil, dir, registrymap.Principal{})
	if err := os.WriteFile(filepath.Join(dir, ".aws/sso/cache/x.json"), []byte(`{"accessToken": "2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	after := Read(nil, dir, registrymap.Principal{})
	switch {
	case before.Key == after.Key:
		t.Error("another login is the same identity")
	case !after.SameLogin(before, "2"):
		t.Error("a rewritten login file isn't told from other changes")
	case after.SameLogin(before, "3"), after.SameLogin(before, ""):
		t.Error("somebody else's login is taken for the one that was refreshed")
	case Read(config.Env{"AWS_REGION=x"}, dir, registrymap.Principal{}).SameLogin(before, "2"):
		t.Error("another environment is taken for a rewritten login file")
	}
}

func TestCovers(t *testing.T) {
	none, jwt := Used{}, Used{TokenFiles: []string{"/jwt"}}
	for _, c := range []struct {
		env  config.Env
		used Used
		want bool
	}{
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, none, true},
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, jwt, false},
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, Used{Metadata: true}, false},
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, Used{Container: true}, false},
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, Used{Logins: true}, false},
		{nil, Used{Metadata: true}, true},
		{config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=a"}, Used{Container: true}, true},
		{config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=/jwt"}, jwt, true},
	} {
		if got := Read(c.env, "", registrymap.Principal{}).Covers(c.used); got != c.want {
			t.Errorf("%q: covers %+v: %v, want %v", c.env, c.used, got, c.want)
		}
	}
}

// The same text as another input makes another identity.
func TestInputNames(t *testing.T) {
	dir := home(t, map[string]string{"x": "text"})
	key := func(name string) string {
		in := inputs{sum: sha256.New()}
		in.tokenFile(name, filepath.Join(dir, "x"))
		return in.key()
	}
	if key("container token") == key("web identity token") {
		t.Error("two inputs can change places unseen")
	}
}

// What is there and can't be read counts only where it is used.
func TestUncacheable(t *testing.T) {
	dir := t.TempDir()
	keys := config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
	for _, c := range []struct {
		env  config.Env
		want bool
	}{
		{config.Env{"AWS_CONFIG_FILE=" + dir}, true},
		{append(keys, "AWS_CONFIG_FILE="+dir), false},
		{append(keys, "AWS_WEB_IDENTITY_TOKEN_FILE="+dir), false},
		{config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=" + dir}, true},
		{config.Env{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + dir}, false},
		{config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + dir}, true},
	} {
		if got := Read(c.env, "", registrymap.Principal{}).Uncacheable; got != c.want {
			t.Errorf("%q: unsure is %v, want %v", c.env, got, c.want)
		}
	}
}

func TestPipeIsUncacheableAndLeftAlone(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if !Read(config.Env{"AWS_CONFIG_FILE=" + pipe}, "", registrymap.Principal{}).Uncacheable {
		t.Error("a pipe's contents are trusted to stay")
	}
	if Read(config.Env{"AWS_CONFIG_FILE=" + os.DevNull}, "", registrymap.Principal{}).Uncacheable {
		t.Error("/dev/null is taken for a pipe")
	}
}

func TestFilesOf(t *testing.T) {
	for _, c := range []struct {
		env  config.Env
		home string
		want Files
	}{
		{nil, "/home/ci", Files{Config: "/home/ci/.aws/config", Credentials: "/home/ci/.aws/credentials"}},
		{nil, "", Files{}},
		{config.Env{"AWS_CONFIG_FILE=/c", "AWS_SHARED_CREDENTIALS_FILE=~/s"}, "/home/ci", Files{Config: "/c", Credentials: "/home/ci/s"}},
	} {
		if got := FilesOf(c.env, c.home); got != c.want {
			t.Errorf("FilesOf(%q, %q) = %+v, want %+v", c.env, c.home, got, c.want)
		}
	}
	for _, path := range []string{"c", "~x/c", "$HOME/c", " /c", "/c\n"} {
		if got := FilesOf(config.Env{"AWS_CONFIG_FILE=" + path}, "/home/ci"); got.Err == nil || got.Config != "" {
			t.Errorf("AWS_CONFIG_FILE=%q: %+v, want an error and no file", path, got)
		}
	}
}

func TestSource(t *testing.T) {
	for _, c := range []struct {
		config, credentials string
		env                 config.Env
		want                string
		metadata            bool
	}{
		{want: "instance metadata", metadata: true},
		{env: config.Env{"AWS_EC2_METADATA_DISABLED=True"}, want: "nowhere, as AWS_EC2_METADATA_DISABLED is true"},
		{env: config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_PROFILE=x"}, want: "environment keys"},
		{env: config.Env{"AWS_ACCESS_KEY_ID=a"}, want: "instance metadata", metadata: true},
		{env: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=a"}, want: "web identity of the environment"},
		{env: config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=a"}, want: "container credentials"},
		{credentials: "[default]\naws_access_key_id=a\naws_secret_access_key=b", want: "profile default, keys"},
		{
			credentials: "[default]\nrole_arn=arn:r\ncredential_source=Ec2InstanceMetadata\nregion=ap-south-1\n",
			want:        "profile default, arn:r, instance metadata", metadata: true,
		},
		{
			config:      "[profile a]\nrole_arn: arn:a\nsource_profile = b\n[profile b]\nrole_arn=arn:b\nsource_profile=c\n",
			credentials: "[c]\naws_access_key_id = x\naws_secret_access_key = 'y'\n",
			env:         config.Env{"AWS_PROFILE=a"},
			want:        "profile a, arn:a, profile b, arn:b, profile c, keys",
		},
		{
			credentials: "[default]\nrole_arn=arn:r\nsource_profile=default\naws_access_key_id=a\naws_secret_access_key=b\n",
			want:        "profile default, arn:r, profile default, keys",
		},
		{config: "[profile my ci]\ncredential_process = p\n", env: config.Env{"AWS_PROFILE=my ci"}, want: "profile my ci, credential process"},
		{config: "[default]\nsso_session = x\n[sso-session x]\nsso_region=y\n", want: "profile default, SSO"},
		{config: "[default]\nlogin_session = x\n", want: "profile default, aws login"},
		{config: "[default]\ncredential_process = a = b\n", want: "profile default, credential process"},
		{config: "[default]\nrole_arn=r\nweb_identity_token_file=f\n", want: "profile default, r, web identity"},
		// Halves of a key in two files are no key, nor is what is below "s3 =".
		{
			config: "[default]\naws_access_key_id=a\n", credentials: "[default]\naws_secret_access_key=b\n",
			want: "profile default, instance metadata", metadata: true,
		},
		{
			config: "[default]\ns3 =\n  aws_access_key_id=a\n  aws_secret_access_key=b\n",
			want:   "profile default, instance metadata", metadata: true,
		},
		// Headers that the SDK passes over.
		{config: "[x]\ncredential_process = p\n", env: config.Env{"AWS_PROFILE=x"}, want: "instance metadata", metadata: true},
		{credentials: "[profile x]\naws_access_key_id=a\naws_secret_access_key=b\n", env: config.Env{"AWS_PROFILE=x"}, want: "instance metadata", metadata: true},
	} {
		got := SourceOf(c.env, sharedconfig.Texts{Config: c.config, Credentials: c.credentials}.Profiles(), registrymap.Principal{})
		if got.String() != c.want || got.Used.Metadata != c.metadata {
			t.Errorf("%q, %q, %q:\n got %q, metadata %v\nwant %q, metadata %v",
				c.config, c.credentials, c.env, got, got.Used.Metadata, c.want, c.metadata)
		}
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add("[default]\nrole_arn = r\nsource_profile = default\n", "[x]\naws_access_key_id=a\naws_secret_access_key=b\n", "x")
	f.Add("[profile my ci]\n s3 =\n  a = b\n[", "]\n=\n:", "my ci")
	f.Fuzz(func(t *testing.T, configText, credentials, profile string) {
		s := SourceOf(config.Env{"AWS_PROFILE=" + profile}, sharedconfig.Texts{Config: configText, Credentials: credentials}.Profiles(), registrymap.Principal{})
		if len(s.hops) == 0 {
			t.Error("no source at all")
		}
	})
}

// What the map says decides the principal too, each word for itself.
func TestPrincipal(t *testing.T) {
	dir := home(t, map[string]string{"a.jwt": jwt(`{"sub":"a","exp":1}`), "a2.jwt": jwt(`{"sub":"a","exp":2}`), "b.jwt": jwt(`{"sub":"b"}`)})
	env := config.Env{"TOKEN_A=" + jwt(`{"sub":"a","exp":3}`), "TOKEN_B=" + jwt(`{"sub":"b"}`)}
	const role = "arn:aws:iam::111122223333:role/pull"
	principals := []registrymap.Principal{
		{},
		{Profile: "x"},
		{RoleARN: "x"},
		{RoleARN: role},
		{RoleARN: role, Profile: "x"},
		{RoleARN: role, ExternalID: "x"},
		{RoleARN: role, RoleSessionName: "x"},
		{RoleARN: role, WebIdentityTokenFile: filepath.Join(dir, "a.jwt")},
		{RoleARN: role, WebIdentityTokenFile: filepath.Join(dir, "b.jwt")},
		{RoleARN: role, WebIdentityTokenEnv: "NONE"},
	}
	seen := map[string]registrymap.Principal{}
	for _, p := range principals {
		id := Read(env, dir, p)
		if before, ok := seen[id.Key]; ok {
			t.Errorf("%+v and %+v have one identity", before, p)
		}
		seen[id.Key] = p
		if again := Read(env, dir, p); again.Key != id.Key {
			t.Errorf("%+v has two identities", p)
		}
	}
	// A token counts by its claims, wherever it is kept.
	a := Read(env, dir, principals[7])
	for _, same := range []registrymap.Principal{
		{RoleARN: role, WebIdentityTokenFile: filepath.Join(dir, "a2.jwt")},
		{RoleARN: role, WebIdentityTokenEnv: "TOKEN_A"},
	} {
		if Read(env, dir, same).Key != a.Key {
			t.Errorf("%+v: another identity, though the claims are the same", same)
		}
	}
	if Read(env, dir, registrymap.Principal{RoleARN: role, WebIdentityTokenEnv: "TOKEN_B"}).Key == a.Key {
		t.Error("another subject in a variable is the same identity")
	}
	if !a.Covers(Used{TokenFiles: []string{filepath.Join(dir, "a.jwt")}}) || a.Covers(Used{Metadata: true}) {
		t.Error("Covers doesn't know the token file of the map")
	}
}

func TestSourceOfPrincipal(t *testing.T) {
	keys := config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
	const role = "arn:aws:iam::111122223333:role/pull"
	shared := sharedconfig.Texts{Config: "[profile ec2]\ncredential_source = Ec2InstanceMetadata\nrole_arn = base\n", Credentials: ""}.Profiles()
	for _, c := range []struct {
		principal registrymap.Principal
		want      string
		metadata  bool
	}{
		{registrymap.Principal{}, "environment keys", false},
		{registrymap.Principal{RoleARN: role}, role + ", environment keys", false},
		{registrymap.Principal{Profile: "ec2"}, "profile ec2, base, instance metadata", true},
		{registrymap.Principal{Profile: "ec2", RoleARN: role}, role + ", profile ec2, base, instance metadata", true},
		{registrymap.Principal{RoleARN: role, WebIdentityTokenEnv: "X"}, role + ", web identity of the map", false},
	} {
		if got := SourceOf(keys, shared, c.principal); got.String() != c.want || got.Used.Metadata != c.metadata {
			t.Errorf("%+v: %q, metadata %v; want %q, %v", c.principal, got, got.Used.Metadata, c.want, c.metadata)
		}
	}
}

func TestSkipped(t *testing.T) {
	const (
		noKeys  = "environment keys: AWS_ACCESS_KEY_ID isn't set"
		noToken = "web identity of the environment: AWS_WEB_IDENTITY_TOKEN_FILE isn't set"
		noURI   = "container credentials: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
	)
	keys := config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
	container := config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=a"}
	for _, c := range []struct {
		name   string
		env    config.Env
		config string
		asked  registrymap.Principal
		want   []string
	}{
		{name: "nothing is there", env: config.Env{"AWS_PROFILE=x"}, want: []string{
			noKeys, noToken, "profile x: it is neither in HOME/.aws/config nor in HOME/.aws/credentials", noURI,
		}},
		{name: "nothing counts", env: config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_ROLE_ARN=r", "AWS_EC2_METADATA_DISABLED=true"}, config: "[default]\nregion=x\n", want: []string{
			"environment keys: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't",
			"web identity of the environment: AWS_ROLE_ARN is set, but counts only beside AWS_WEB_IDENTITY_TOKEN_FILE, which isn't set (AWS_ECR_ROLE_ARN names a role to assume)",
			"profile default: it has no credentials", noURI, "instance metadata: AWS_EC2_METADATA_DISABLED is true",
		}},
		{name: "a missing file", env: config.Env{"AWS_CONFIG_FILE=/none"}, want: []string{
			noKeys, noToken, "profile default: /none, which a variable names, doesn't exist", noURI,
		}},
		{name: "keys", env: append(container, keys...), config: "[default]\nrole_arn=r\ncredential_process=x\n", want: []string{
			"profile default: it has role_arn, credential_process, but the chain looks for environment keys first",
			"container credentials: AWS_CONTAINER_CREDENTIALS_… is set, but the chain looks for environment keys first",
			"instance metadata: the instance may have a role, but the chain looks for environment keys first",
		}},
		{name: "a token", env: config.Env{"AWS_WEB_IDENTITY_TOKEN_FILE=/jwt"}, want: []string{
			noKeys, "instance metadata: the instance may have a role, but the chain looks for web identity of the environment first",
		}},
		{name: "a container", env: container, config: "[default]\nregion=x\n", want: []string{
			noKeys, noToken, "profile default: it has no credentials",
			"instance metadata: the instance may have a role, but the chain looks for container credentials first",
		}},
		{name: "what a profile names", env: container, config: "[default]\ncredential_source=EcsContainer\n", want: []string{
			noKeys, noToken, "instance metadata: the instance may have a role, but the chain looks for profile default first",
		}},
		{name: "a profile of the map", env: keys, config: "[profile m]\ncredential_source=Ec2InstanceMetadata\n", asked: registrymap.Principal{Profile: "m"}, want: []string{
			"environment keys: AWS_ACCESS_KEY_ID is set, but the chain looks for profile m first",
		}},
		{name: "a profile of the map without credentials", env: keys, config: "[profile m]\nregion=x\n", asked: registrymap.Principal{Profile: "m"}, want: []string{
			"profile m: it has no credentials",
			"environment keys: AWS_ACCESS_KEY_ID is set, but the chain looks for profile m first", noToken, noURI,
		}},
		{name: "a token of the map", env: keys, asked: registrymap.Principal{RoleARN: "r", WebIdentityTokenEnv: "X"}, want: []string{
			"all else: the registry map names a web identity token, which takes its place",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := home(t, map[string]string{".aws/config": c.config})
			got := strings.ReplaceAll(strings.Join(Read(c.env, dir, c.asked).Skipped(c.env, dir, c.asked), "\n"), dir, "HOME")
			if want := strings.Join(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if got := Read(nil, "", registrymap.Principal{}).Skipped(nil, "", registrymap.Principal{}); len(got) != 4 || got[2] != "profile default: there is no home to find ~/.aws in" {
		t.Errorf("without a home: %q", got)
	}
}

func TestSourceName(t *testing.T) {
	for _, c := range []struct {
		env          config.Env
		config, want string
	}{
		{config.Env{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, "", "the environment (AWS_ACCESS_KEY_ID)"},
		{nil, "", "the instance metadata service"},
		{config.Env{"AWS_CONTAINER_CREDENTIALS_FULL_URI=a"}, "", "the container credentials endpoint"},
		{nil, "[default]\nrole_arn=r\nsource_profile=b\n[profile b]\ncredential_process=x\n", "the credential_process of profile b"},
		{config.Env{"AWS_PROFILE=b"}, "[profile b]\nsso_session=x\n", "profile b"},
	} {
		if got := SourceOf(c.env, sharedconfig.Texts{Config: c.config}.Profiles(), registrymap.Principal{}).Name(); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.env, c.config, got, c.want)
		}
	}
}

// A profile decides if the map names one, or if nothing that comes before it in the chain is set.
func TestFromProfile(t *testing.T) {
	variables := []string{
		"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_ACCESS_KEY=a", "AWS_SECRET_KEY=b",
		"AWS_WEB_IDENTITY_TOKEN_FILE=f", "AWS_ROLE_ARN=r", "AWS_PROFILE=p", "AWS_DEFAULT_PROFILE=q",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=u", "AWS_EC2_METADATA_DISABLED=true",
	}
	texts := []string{
		"", "[default]\nrole_arn=r\n", "[profile p]\naws_access_key_id=a\naws_secret_access_key=b\n", "[profile ]\nregion=x\n",
		"[default]\nsource_profile=x\nrole_arn=r\n", "[profile m]\nrole_arn=r\nsource_profile=m\n", "[profile p]\nsource_profile=q\n[profile q]\nsource_profile=p\n",
	}
	for set := range 1 << len(variables) {
		var env config.Env
		for i, variable := range variables {
			if set>>i&1 == 1 {
				env = append(env, variable)
			}
		}
		for _, text := range texts {
			for _, asked := range []registrymap.Principal{
				{}, {Profile: "m"}, {RoleARN: "r"}, {Profile: "none", RoleARN: "r"}, {RoleARN: "r", WebIdentityTokenEnv: "X"},
				{RoleARN: "r", WebIdentityTokenFile: "f"}, {RoleARN: "r", WebIdentityToken: "x"},
			} {
				want := !asked.HasWebIdentity() && (asked.Profile != "" || !HasKeys(env) && env.Get("AWS_WEB_IDENTITY_TOKEN_FILE") == "")
				if got := SourceOf(env, sharedconfig.Texts{Config: text}.Profiles(), asked); got.FromProfile != want {
					t.Fatalf("%q, %q, %+v: %v, want %v", env, text, asked, got.FromProfile, want)
				}
			}
		}
	}
}
