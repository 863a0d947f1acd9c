package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/lab"
	"docker-credential-ecr-login/internal/standin"
)

// A secret in every place that can hold one, each marked; what AWS gives has marks of its
// own: how its session tokens, secret keys and registry passwords begin.
var marks = regexp.MustCompile(`MARKED|IQoJb3JpZ2lu|eyJkYXRha2V5|eyJhbGciOi`)

// secrets puts one in each place, and leads every request into some failure.
var secrets = map[string]func(t *testing.T, l *lab.Lab){
	"a wrong secret key": func(t *testing.T, l *lab.Lab) { l.Set("AWS_SECRET_ACCESS_KEY=MARKED-secret-key") },
	"a wrong session token": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_SESSION_TOKEN=MARKED-session-token")
	},
	"a key that is a secret": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID=wJalr MARKED/secret", "AWS_SECRET_ACCESS_KEY=x")
	},
	"a profile with everything wrong": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		l.Write(t, ".aws/credentials", "[default]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = MARKED-a\naws_session_token = MARKED-b\n")
	},
	"a profile that isn't one": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		l.Write(t, ".aws/credentials", "[default\naws_secret_access_key MARKED-a\nMARKED\n= MARKED\n")
	},
	"a web identity that is refused": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN="+pullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+l.Home+"/jwt")
		l.Write(t, "jwt", standin.WebIdentity{Issuer: "https://x", Subject: "y", Audience: "z"}.Token(time.Now().Add(time.Hour)))
	},
	"a web identity that is none": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN="+pullRole, "AWS_WEB_IDENTITY_TOKEN_FILE="+l.Home+"/jwt")
		l.Write(t, "jwt", "MARKED\nMARKED.MARKED.MARKED")
	},
	"a web identity in the map": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "JOB_TOKEN=MARKED.job.token")
		l.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+host+"\"\nrole_arn = \""+pullRole+"\"\nweb_identity_token_env = \"JOB_TOKEN\"\n")
	},
	"a mistake in the map": func(t *testing.T, l *lab.Lab) {
		l.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+host+"\"\nexternal_idd = \"MARKED\"\n")
	},
	"a container's token": func(t *testing.T, l *lab.Lab) {
		l.Cloud.SetContainerRole(runnerRole, "another token")
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
			"AWS_CONTAINER_CREDENTIALS_FULL_URI="+strings.Replace(l.Cloud.ContainerURL(), "//", "//MARKED:MARKED@", 1)+"?token=MARKED",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN=MARKED-container-token")
	},
	"a process that tells all": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		l.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'echo MARKED-out; echo MARKED-err >&2; exit 1'\n")
	},
	"a process that tells nonsense": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		l.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'echo {\\\"SecretAccessKey\\\":\\\"MARKED\\\"'\n")
	},
	"a process that isn't there": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
		l.Write(t, ".aws/config", "[default]\ncredential_process = /nowhere --password MARKED\n")
	},
	"a proxy's password": func(t *testing.T, l *lab.Lab) {
		l.Cloud.RequireProxyAuth("me", "another")
		l.Set("HTTPS_PROXY=" + strings.Replace(l.Cloud.ProxyURL(), "//", "//me:MARKED-password@", 1))
	},
	"a proxy that isn't there": func(t *testing.T, l *lab.Lab) { l.Set("HTTPS_PROXY=http://MARKED:MARKED@127.0.0.1:1") },
	"an endpoint with a password": func(t *testing.T, l *lab.Lab) {
		l.Set("HTTPS_PROXY", "AWS_ENDPOINT_URL_ECR=http://MARKED:MARKED@127.0.0.1:1/path?key=MARKED")
	},
	"an endpoint that is no URL": func(t *testing.T, l *lab.Lab) { l.Set("AWS_ENDPOINT_URL_ECR=https://MARKED:MARKED@[::/?x=MARKED") },
	"AWS repeats what it got": func(t *testing.T, l *lab.Lab) {
		l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Status: 400, Code: "ValidationException", Message: "the secret was " + secret})
	},
	"AWS repeats a session token": func(t *testing.T, l *lab.Lab) {
		l.Set("AWS_SESSION_TOKEN=MARKED-session-token")
		l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Status: 400, Code: "ValidationException", Message: "token MARKED-session-token isn't one"})
	},
	"AWS's answer is a token and an error": func(t *testing.T, l *lab.Lab) {
		l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Body: answerOf(encoded("AWS:MARKED password"), 2000000000)})
	},
	"nothing goes wrong": func(*testing.T, *lab.Lab) {},
}

func TestSecrets(t *testing.T) {
	for name, place := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, loud := range []string{"not-found", "fail"} {
				l, s := withKeys(t), suffer(t)
				log := filepath.Join(l.Home, "log")
				l.Set("AWS_ECR_LOG_LEVEL=debug", "AWS_ECR_LOG_FILE="+log, "AWS_ECR_ON_ERROR="+loud, "AWS_ECR_TIMEOUT=3s", "AWS_MAX_ATTEMPTS=1")
				place(t, l)
				for _, verb := range []string{"get", "get", "list", "erase"} {
					r := l.Run(t, verb, host)
					said := r.Stderr
					if r.Status != 0 || verb != "get" {
						said += r.Stdout
					}
					if text, err := os.ReadFile(log); err == nil {
						said += string(text)
					}
					said = strings.ReplaceAll(said, "AKIAIOSFODNN7EXAMPLE", "")
					var err error
					if found := marks.FindString(said); found != "" || strings.Contains(said, secret) {
						err = fmt.Errorf("%s tells %q in %.2000q", verb, found, said)
					}
					s.count(t, r, err)
				}
			}
		})
	}
}

// What the helper gives to the programs it starts, beyond the environment it was given
// itself; and what others can see of it in the table of processes.
func TestChildren(t *testing.T) {
	l, s := withKeys(t), suffer(t)
	l.Write(t, "bin/docker-credential-spy", "#!/bin/sh\n(env; tr '\\0' ' ' </proc/$$/cmdline; tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$PPID/environ) >>"+l.Home+"/seen\ncat >/dev/null\necho 'credentials not found in native keychain'; exit 1\n")
	must(t, os.Chmod(filepath.Join(l.Home, "bin/docker-credential-spy"), 0o700))
	l.Write(t, ".aws/config", "[default]\ncredential_process = sh -c 'env >>"+l.Home+"/seen; cat /proc/$PPID/cmdline >>"+l.Home+"/seen; cat "+l.Home+"/keys'\n[profile role]\nrole_arn = "+pullRole+"\nsource_profile = default\n")
	l.Write(t, "keys", `{"Version":1,"AccessKeyId":"`+keyID+`","SecretAccessKey":"`+secret+`"}`)
	l.Cloud.AddRole(standin.Role{ARN: pullRole, Trusts: []string{userARN}})
	l.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE=role", "AWS_ECR_FALLBACK=spy", "PATH="+l.Home+"/bin:/usr/bin:/bin")
	s.must(t, l, "assumed-role/pull/")
	l.Run(t, "get", "docker.io")
	seen, err := os.ReadFile(filepath.Join(l.Home, "seen"))
	must(t, err)
	if !strings.Contains(string(seen), "AWS_PROFILE=role") || !strings.Contains(string(seen), lab.Name) {
		t.Fatalf("nothing was seen: %q", seen)
	}
	if found := marks.FindString(string(seen)); found != "" || strings.Contains(string(seen), secret) {
		t.Errorf("the programs it starts see %q", found)
	}
}

// No file is readable by others at any moment, whatever the umask: those that hold a token
// are made with mode 0600, and folders with 0700.
func TestModesOnTheWay(t *testing.T) {
	strace, err := exec.LookPath("strace")
	must(t, err)
	l, s := withKeys(t), suffer(t)
	l.Set("AWS_ECR_LOG_LEVEL=debug")
	out := filepath.Join(l.Home, "strace")
	r := under(t, l, "get", host, "sh", "-c", "umask 0; exec "+strace+` -f -o `+out+` -e trace=open,openat,mkdir,mkdirat,chmod,fchmod,fchmodat "$0" "$@"`)
	s.judge(t, l, r, userARN)
	text, err := os.ReadFile(out)
	must(t, err)
	made := regexp.MustCompile(`(?m)^.*(?:O_CREAT.*, 0(\d+)\)|mkdir(?:at)?\(.*, 0(\d+)\)|chmod(?:at2?)?\(.*, 0(\d+)[,)]).*$`).FindAllStringSubmatch(string(text), -1)
	if len(made) < 5 {
		t.Fatalf("%d files were made, which can't be all:\n%s", len(made), text)
	}
	for _, m := range made {
		if mode := m[1] + m[2] + m[3]; mode != "600" && mode != "700" {
			t.Errorf("mode %s: %s", mode, m[0])
		}
	}
}

// A helper that ends with a trace tells nothing secret in it, and leaves no image of its
// memory.
func TestTraces(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV} {
		t.Run(sig.String(), func(t *testing.T) {
			l, s := onRunner(t), suffer(t)
			l.Cloud.Fail("ecr:GetAuthorizationToken", standin.Fault{Hang: true, Times: 1})
			var said strings.Builder
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -c unlimited; exec "$0" "$@"`, lab.Binary(t), "get")
			cmd.Env, cmd.Dir, cmd.Stdin = l.Env, l.Home, strings.NewReader(host)
			cmd.Stdout, cmd.Stderr = &said, &said
			must(t, cmd.Start())
			must(t, l.Cloud.Await(t.Context(), "ecr:GetAuthorizationToken", 1))
			must(t, cmd.Process.Signal(sig))
			cmd.Wait()
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.CoreDump() {
				t.Error("it leaves a core")
			}
			if !strings.Contains(said.String(), "goroutine") {
				t.Errorf("it leaves no trace: %.200q", said.String())
			}
			if found := marks.FindString(said.String()); found != "" {
				t.Errorf("the trace tells %q", found)
			}
			s.must(t, l, "assumed-role/pull/")
		})
	}
}
