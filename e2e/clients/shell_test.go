package clients

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// Shells complete the helper's arguments with the completions that it prints.
func TestCompletions(t *testing.T) {
	env := testenv.New(t)
	env.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+testenv.Host+"\"\n")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		env.Write(t, shell, mustRun(t, env, "completion "+shell))
	}

	t.Run("bash", func(t *testing.T) {
		path := need(t, "bash")
		for _, c := range []struct{ words, want string }{
			{"do", "doctor"}, {"configure --dr", "--dry-run"}, {"cache ", "list clear path --help"}, {"completion z", "zsh"},
			{"doctor 2", testenv.Host}, {"whoami 2", testenv.Host}, {"configure --all 2", testenv.Host}, {"cache clear 2", testenv.Host}, {"cache list ", "--help"},
			{"configure --print ", "gitlab"}, {"configure --region ", ""},
		} {
			out, err := run(t, env, nil, path, "bash", "-c", `source ./bash; COMP_WORDS=(`+testenv.Name+` `+c.words+`""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ecr_login; echo ${COMPREPLY[@]}`)
			if err != nil || strings.TrimSpace(out.stdout) != c.want {
				t.Errorf("%s: %q, %q, %v; want %q", c.words, out.stdout, out.stderr, err, c.want)
			}
		}
	})
	t.Run("fish", func(t *testing.T) {
		path := need(t, "fish")
		for _, c := range []struct{ words, want string }{
			{"do", "doctor"}, {"configure --dr", "--dry-run"}, {"cache l", "list"}, {"completion z", "zsh"},
			{"doctor 2", testenv.Host}, {"whoami 2", testenv.Host}, {"configure --all 2", testenv.Host}, {"cache clear 2", testenv.Host}, {"cache clear cl", ""},
			{"configure --print g", "gitlab"},
		} {
			out, err := run(t, env, nil, path, "fish", "--no-config", "-c", `source ./fish; complete -C "docker-credential-ecr-login `+c.words+`"`)
			word, _, _ := strings.Cut(strings.TrimSpace(out.stdout), "\t")
			if err != nil || word != c.want || strings.Contains(strings.TrimSpace(out.stdout), "\n") {
				t.Errorf("%s: %q, %q, %v; want %q", c.words, out.stdout, out.stderr, err, c.want)
			}
		}
	})
	t.Run("zsh", func(t *testing.T) {
		path := need(t, "zsh")
		// The file is in a directory of fpath, as after an installation.
		env.Write(t, "functions/_docker-credential-ecr-login", mustRun(t, env, "completion zsh"))
		for typed, want := range map[string]string{
			"docker-credential-ecr-login who\t\n":                 "whoami: it takes one HOST",
			"docker-credential-ecr-login cache pa\t\n":            filepath.Join(env.Home, ".ecr/tokens"),
			"docker-credential-ecr-login configure --dr\t\n":      "it takes a HOST",
			"docker-credential-ecr-login completion fi\t\n":       "# fish completion of",
			"docker-credential-ecr-login help completi\t\n":       "usage: docker-credential-ecr-login completion",
			"docker-credential-ecr-login configure --cre\t-\b":    "--creds-store",
			"docker-credential-ecr-login whoami 2\t\n":            testenv.Host + ": ",
			"docker-credential-ecr-login cache clear 2\t\n":       "no tokens",
			"docker-credential-ecr-login configure --print g\t\n": "DOCKER_AUTH_CONFIG=",
		} {
			if shown := inZsh(t, env, path, typed, want); !strings.Contains(shown, want) {
				t.Errorf("%q shows %q; want %q", typed, shown, want)
			}
		}
	})
}

// inZsh types a text into a zsh at a terminal. It returns what the terminal shows, as soon as that
// contains want or nothing more comes.
func inZsh(t *testing.T, env *testenv.Env, path, typed, want string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, "-f", "-i")
	cmd.Dir, cmd.Env = env.Home, append([]string{"TERM=dumb", "PS1=ready> "}, env.Vars...)
	terminal, err := pty.Start(cmd)
	testenv.Must(t, err)
	defer cmd.Wait()
	defer terminal.Close()
	defer cmd.Process.Kill()
	var shown bytes.Buffer
	until := func(want string) {
		terminal.SetReadDeadline(time.Now().Add(20 * time.Second))
		part := make([]byte, 4096)
		for !strings.Contains(shown.String(), want) {
			n, err := terminal.Read(part)
			shown.Write(part[:n])
			if err != nil {
				return
			}
		}
	}
	until("ready> ")
	terminal.WriteString("fpath=(./functions $fpath); autoload -U compinit; compinit -u -D; echo set''up\n")
	until("setup")
	until("ready> ")
	shown.Reset()
	terminal.WriteString(typed)
	until(want)
	return shown.String()
}

// mandoc accepts the manual page.
func TestManual(t *testing.T) {
	path := need(t, "mandoc")
	env := testenv.New(t)
	env.Write(t, "page.1", mustRun(t, env, "help --man"))
	// The page has no date, because it would change with each build.
	out, err := run(t, env, nil, path, "mandoc", "-T", "lint", "-W", "warning", "page.1")
	for line := range strings.Lines(out.stdout + out.stderr) {
		if !strings.Contains(line, "missing date") {
			t.Errorf("%v: %s", err, line)
		}
	}
	out, err = run(t, env, nil, path, "mandoc", "-T", "utf8", "page.1")
	if err != nil || !strings.Contains(out.stdout, "docker-credential-ecr-login configure --all --dry-run") {
		t.Errorf("%v: %s%s", err, out.stdout, out.stderr)
	}
}
