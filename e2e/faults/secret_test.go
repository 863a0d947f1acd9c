package faults

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// secretMarks matches secrets. The tests put a marked secret in every place that can hold one. The
// session tokens, secret keys and passwords of the stand-in begin with marks of their own.
var secretMarks = regexp.MustCompile(`MARKED|IQoJb3JpZ2lu|eyJkYXRha2V5|eyJhbGciOi`)

// secrets are the places. Each function puts secrets in one of them, and makes requests fail.
var secrets = map[string]func(t *testing.T, env *testenv.Env){
	"a wrong secret key": func(t *testing.T, env *testenv.Env) { env.Set("AWS_SECRET_ACCESS_KEY=MARKED-secret-key") },
	"a wrong session token": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_SESSION_TOKEN=MARKED-session-token")
	},
	"a key that is a secret": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID=wJalr MARKED/secret", "AWS_SECRET_ACCESS_KEY=x")
	},
	"a profile with everything wrong": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/credentials", "[default]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = MARKED-a\naws_session_token = MARKED-b\n")
	},
	"a profile that isn't one": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/credentials", "[default\naws_secret_access_key MARKED-a\nMARKED\n= MARKED\n")
	},
	"a web identity that is refused": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN="+testenv.PullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+env.Home+"/jwt")
		env.Write(t, "jwt", awstest.WebIdentity{Issuer: "https://x", Subject: "y", Audience: "z"}.Token(time.Now().Add(time.Hour)))
	},
	"a web identity that is none": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN="+testenv.PullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+env.Home+"/jwt")
		env.Write(t, "jwt", "MARKED\nMARKED.MARKED.MARKED")
	},
	"a web identity in the map": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "JOB_TOKEN=MARKED.job.token")
		env.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+testenv.Host+"\"\nrole_arn = \""+testenv.PullRole+"\"\nweb_identity_token_env = \"JOB_TOKEN\"\n")
	},
	"a mistake in the map": func(t *testing.T, env *testenv.Env) {
		env.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+testenv.Host+"\"\nexternal_idd = \"MARKED\"\n")
	},
	"a container's token": func(t *testing.T, env *testenv.Env) {
		env.AWS.SetContainerRole(testenv.RunnerRole, "another token")
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI="+strings.Replace(env.AWS.ContainerURL(), "//", "//MARKED:MARKED@", 1)+"?token=MARKED",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN=MARKED-container-token")
	},
	"a process that prints secrets": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'echo MARKED-out; echo MARKED-err >&2; exit 1'\n")
	},
	"a process that prints invalid JSON": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'echo {\\\"SecretAccessKey\\\":\\\"MARKED\\\"'\n")
	},
	"a process that isn't there": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", "[default]\ncredential_process = /nowhere --password MARKED\n")
	},
	"a proxy's password": func(t *testing.T, env *testenv.Env) {
		env.AWS.RequireProxyAuth("me", "another")
		env.Set("HTTPS_PROXY=" + strings.Replace(env.AWS.ProxyURL(), "//", "//me:MARKED-password@", 1))
	},
	"a proxy that isn't there": func(t *testing.T, env *testenv.Env) { env.Set("HTTPS_PROXY=http://MARKED:MARKED@127.0.0.1:1") },
	"an endpoint with a password": func(t *testing.T, env *testenv.Env) {
		env.Set("HTTPS_PROXY", "AWS_ENDPOINT_URL_ECR=http://MARKED:MARKED@127.0.0.1:1/path?key=MARKED")
	},
	"an endpoint that is no URL": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ENDPOINT_URL_ECR=https://MARKED:MARKED@[::/?x=MARKED")
	},
	"AWS repeats what it got": func(t *testing.T, env *testenv.Env) {
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: "the secret was " + testenv.Secret})
	},
	"AWS repeats a session token": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_SESSION_TOKEN=MARKED-session-token")
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: "token MARKED-session-token isn't one"})
	},
	"AWS repeats a session token in parts": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_SESSION_TOKEN=MARKED-session-token")
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: "token MARKED\u200b-session-token isn't one"})
	},
	"AWS repeats the keys of a file": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/credentials", "[default]\naws_access_key_id = "+testenv.KeyID+"\naws_secret_access_key = "+testenv.Secret+"\naws_session_token = MARKED-in-file\n")
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: "it was MARKED-in-file and " + testenv.Secret})
	},
	"AWS repeats what a process gave": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", "[default]\ncredential_process = cat "+env.Home+"/process\n")
		env.Write(t, "process", `{"Version":1,"AccessKeyId":"`+testenv.KeyID+`","SecretAccessKey":"MARKED-secret","SessionToken":"MARKED-session"}`)
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 403, Code: "AccessDeniedException", Message: "it was MARKED-secret with MARKED-session"})
	},
	"AWS repeats the proxy's password": func(t *testing.T, env *testenv.Env) {
		env.AWS.RequireProxyAuth("me", "MARKED-password")
		env.Set("HTTPS_PROXY=" + strings.Replace(env.AWS.ProxyURL(), "//", "//me:MARKED-password@", 1))
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: "it came with MARKED-password"})
	},
	"AWS repeats the instance's keys": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.AWS.AddRole(awstest.Role{ARN: testenv.RunnerRole})
		env.AWS.SetInstanceRole(testenv.RunnerRole)
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Repeat: true})
	},
	"STS repeats the instance's token": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ECR_ROLE_ARN="+testenv.PullRole)
		env.AWS.AddRole(awstest.Role{ARN: testenv.RunnerRole})
		env.AWS.SetInstanceRole(testenv.RunnerRole)
		env.AWS.Fail("sts:AssumeRole", awstest.Fault{Status: 403, Code: "AccessDenied", Repeat: true})
	},
	"STS repeats a source profile's keys": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE=role")
		env.Write(t, ".aws/credentials", "[source]\naws_access_key_id = "+testenv.KeyID+"\naws_secret_access_key = MARKED-source\n[role]\nrole_arn = "+testenv.PullRole+"\nsource_profile = source\n")
		env.AWS.Fail("sts:AssumeRole", awstest.Fault{Status: 403, Code: "AccessDenied", Message: "it was signed with MARKED-source"})
	},
	"STS repeats a service account's token": func(t *testing.T, env *testenv.Env) {
		env.AWS.Fail("sts:AssumeRoleWithWebIdentity", awstest.Fault{Status: 403, Code: "AccessDenied", Message: "it came with " + accountToken})
	},
	"AWS repeats a role's keys": func(t *testing.T, env *testenv.Env) {
		env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
		env.Set("AWS_ECR_ROLE_ARN=" + testenv.PullRole)
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 403, Code: "AccessDeniedException", Repeat: true})
	},
	"AWS repeats a secret key that is unknown here": func(t *testing.T, env *testenv.Env) {
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Status: 400, Code: "ValidationException", Message: `the key "MARKED45678901234567890123456789/1234567" and ` + strings.Repeat("MARKED", 30)})
	},
	"a log on a full disk": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ECR_LOG_FILE=/dev/full")
	},
	"AWS's answer is a token and an error": func(t *testing.T, env *testenv.Env) {
		env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Body: responseOf(encoded("AWS:MARKED password"), 2000000000)})
	},
	"an SSO login that is refused": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", ssoProfile)
		env.Write(t, ssoLogin, `{"startUrl":"https://acme.awsapps.com/start","region":"eu-west-1","accessToken":"MARKED-access","expiresAt":"2099-01-01T00:00:00Z"}`)
	},
	"an SSO login that can't be renewed": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", ssoProfile)
		env.Write(t, ssoLogin, `{"startUrl":"https://acme.awsapps.com/start","region":"eu-west-1","accessToken":"MARKED-access","expiresAt":"2020-01-01T00:00:00Z",`+
			`"clientId":"MARKED-id","clientSecret":"MARKED-secret","refreshToken":"MARKED-refresh","registrationExpiresAt":"2099-01-01T00:00:00Z"}`)
	},
	"an SSO login that isn't one": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		env.Write(t, ".aws/config", ssoProfile)
		env.Write(t, ssoLogin, `{"accessToken":"MARKED", MARKED`)
	},
	"a fallback that prints secrets": func(t *testing.T, env *testenv.Env) {
		env.Set("AWS_ECR_FALLBACK=chatty", "PATH="+env.Home+"/bin:/usr/bin:/bin")
		env.Write(t, "bin/docker-credential-chatty", "#!/bin/sh\ncase $1 in list) echo '{\"docker.io\":\"me\",MARKED' ;; *) echo no ;; esac\nexit 1\n")
		testenv.Must(t, os.Chmod(filepath.Join(env.Home, "bin/docker-credential-chatty"), 0o700))
	},
	"nothing goes wrong": func(*testing.T, *testenv.Env) {},
}

// A profile with an SSO session, and the file in which "aws sso login" stores its login. The name
// is the SHA-1 of the session's name.
const (
	ssoProfile = "[default]\nsso_session = acme\nsso_account_id = 222222222222\nsso_role_name = Developer\n" +
		"[sso-session acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n"
	ssoLogin = ".aws/sso/cache/293abb6b76d7791c0732cc517d38c4b5c734b87f.json"
)

// accountToken is the token of a service account. It doesn't look like a JWT.
const accountToken = "MARKED.service.account"

// requests are the runs of the helper, with secrets where users have been seen to put them.
var requests = []struct{ verb, input string }{
	{"get", testenv.Host},
	{"get", testenv.Host},
	{"get", "https://user:MARKED@" + testenv.Host + "/v2/?token=MARKED#MARKED"},
	{"get", "user:MARKED@" + testenv.Host},
	{"get", "https://user:MARKED@" + testenv.Host + ":99999/"},
	{"store", `{"ServerURL":"https://` + testenv.Host + `","Username":"AWS","Secret":"MARKED"}`},
	{"store", `{"ServerURL":"docker.io","Username":"MARKED","Secret":"MARKED"`},
	{"store", "MARKED"},
	{"get", `{"uri":"https://user:MARKED@` + testenv.Host + `/v2/?token=MARKED"}`},
	{"kubelet", `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + testenv.Host + `/app"}`},
	{"kubelet", `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + testenv.Host + `/app",` +
		`"serviceAccountToken":"` + accountToken + `","serviceAccountAnnotations":{"eks.amazonaws.com/ecr-role-arn":"` + testenv.PullRole + `"}}`},
	{"kubelet", `{"serviceAccountToken":"` + accountToken + `"`},
	{"list", ""},
	{"erase", testenv.Host},
	{"whoami " + testenv.Host, ""},
	{"doctor https://user:MARKED@" + testenv.Host + "/team/app:1.0?token=MARKED", ""},
	{"doctor " + testenv.Host + "/team/app:1.0", ""},
	{"doctor --json " + testenv.Host, ""},
	{"cache list", ""},
	{"configure --creds-store --dry-run", ""},
}

func TestSecrets(t *testing.T) {
	for name, place := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault := testenv.NewFault(t)
			for _, loud := range []string{"not-found", "fail"} {
				env := testenv.WithKeys(t)
				log := filepath.Join(env.Home, "log")
				env.Set("AWS_ECR_LOG_LEVEL=debug", "AWS_ECR_LOG_FILE="+log, "AWS_ECR_ON_ERROR="+loud, "AWS_ECR_TIMEOUT=3s", "AWS_MAX_ATTEMPTS=1")
				place(t, env)
				// A registry might repeat the password it got.
				env.AWS.Handle(testenv.Host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, password, _ := r.BasicAuth()
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":"%s"}]}`, password)
				}))
				env.Write(t, ".docker/config.json", `{"auths":{"docker.io":{"auth":"TUFSS0VE","password":"MARKED"}}}`)
				for _, a := range requests {
					r := env.Run(t, a.verb, a.input)
					output := r.Stderr
					if r.Status != 0 || a.verb != "get" && a.verb != "kubelet" {
						output += r.Stdout
					}
					if text, err := os.ReadFile(log); err == nil {
						output += string(text)
					}
					output = strings.ReplaceAll(output, "AKIAIOSFODNN7EXAMPLE", "")
					var err error
					if found := secretMarks.FindString(output); found != "" || strings.Contains(output, testenv.Secret) {
						err = fmt.Errorf("%s %s prints %q in %.2000q", a.verb, a.input, found, output)
					}
					fault.Count(t, r, err)
				}
			}
		})
	}
}

// A helper that can't open files doesn't print its input.
func TestSecretsWithoutFiles(t *testing.T) {
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	for _, a := range requests {
		if !slices.Contains([]string{"get", "store", "erase", "kubelet"}, a.verb) {
			continue
		}
		r := env.Run(t, a.verb, a.input, "sh", "-c", `ulimit -n 3; exec "$0" "$@"`)
		var err error
		if found := secretMarks.FindString(r.Stdout + r.Stderr); found != "" || r.Status != 1 || !strings.Contains(r.Stdout+r.Stderr, "may open no more files") {
			err = fmt.Errorf("%s %s: status %d, prints %q in %q, %q", a.verb, a.input, r.Status, found, r.Stdout, r.Stderr)
		}
		if bazel := strings.HasPrefix(a.input, `{"uri"`); (bazel || a.verb == "kubelet") && r.Stdout != "" {
			err = fmt.Errorf("%s %s: not in its protocol", a.verb, a.input)
		}
		fault.Count(t, r, err)
	}
}

// The programs that the helper starts get no secret beyond their environment, and the process table
// shows none.
func TestChildren(t *testing.T) {
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	env.Write(t, "bin/docker-credential-spy", "#!/bin/sh\n(env; tr '\\0' ' ' </proc/$$/cmdline; tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$PPID/environ) >>"+env.Home+"/seen\ncat >/dev/null\necho 'credentials not found in native keychain'; exit 1\n")
	testenv.Must(t, os.Chmod(filepath.Join(env.Home, "bin/docker-credential-spy"), 0o700))
	env.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'env >>"+env.Home+"/seen; cat /proc/$PPID/cmdline >>"+env.Home+"/seen; cat "+env.Home+"/keys'\n[profile role]\nrole_arn = "+testenv.PullRole+"\nsource_profile = default\n")
	env.Write(t, "keys", `{"Version":1,"AccessKeyId":"`+testenv.KeyID+`","SecretAccessKey":"`+testenv.Secret+`"}`)
	env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.UserARN}})
	env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE=role", "AWS_ECR_FALLBACK=spy", "PATH="+env.Home+"/bin:/usr/bin:/bin")
	fault.MustGet(t, env, "assumed-role/pull/")
	env.Run(t, "get", "docker.io")
	seen := testenv.ReadFile(t, filepath.Join(env.Home, "seen"))
	if !strings.Contains(string(seen), "AWS_PROFILE=role") || !strings.Contains(string(seen), testenv.Name) {
		t.Fatalf("nothing was seen: %q", seen)
	}
	if found := secretMarks.FindString(string(seen)); found != "" || strings.Contains(string(seen), testenv.Secret) {
		t.Errorf("the programs it starts see %q", found)
	}
}

// The stack trace of a helper that is aborted has no secrets, and there is no core file.
func TestStackTraces(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV} {
		t.Run(sig.String(), func(t *testing.T) {
			env, fault := testenv.OnInstance(t), testenv.NewFault(t)
			env.AWS.Fail("ecr:GetAuthorizationToken", awstest.Fault{Hang: true, Times: 1})
			var output strings.Builder
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -c unlimited; exec "$0" "$@"`, testenv.Binary(t), "get")
			cmd.Env, cmd.Dir, cmd.Stdin = env.Vars, env.Home, strings.NewReader(testenv.Host)
			cmd.Stdout, cmd.Stderr = &output, &output
			testenv.Must(t, cmd.Start())
			testenv.Must(t, env.AWS.Await(t.Context(), "ecr:GetAuthorizationToken", 1))
			testenv.Must(t, cmd.Process.Signal(sig))
			cmd.Wait()
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.CoreDump() {
				t.Error("it leaves a core")
			}
			if !strings.Contains(output.String(), "goroutine") {
				t.Errorf("it leaves no trace: %.200q", output.String())
			}
			if found := secretMarks.FindString(output.String()); found != "" {
				t.Errorf("the trace prints %q", found)
			}
			fault.MustGet(t, env, "assumed-role/pull/")
		})
	}
}
