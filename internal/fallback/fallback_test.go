package fallback

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
)

// install writes docker-credential-NAME to a new directory, which it returns.
func install(t *testing.T, name, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(dir+"/"+config.HelperPrefix+name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFind(t *testing.T) {
	const program = config.HelperPrefix + "x"
	dir := install(t, "x", "#!/bin/sh\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	linked, unusable := t.TempDir(), install(t, "x", "#!/bin/sh\n")
	if err := os.Symlink(self, linked+"/"+program); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(unusable+"/"+program, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for name, c := range map[string]struct{ path, env, want string }{
		"installed":              {dir, "A=1", dir + "/" + program},
		"in the second":          {unusable + ":" + dir, "A=1", dir + "/" + program},
		"absent":                 {"/nowhere", "A=1", "there is no " + program + " on the PATH"},
		"not executable":         {unusable, "A=1", "there is no " + program + " on the PATH"},
		"a relative directory":   {".", "A=1", program + " is on the PATH in the working folder"},
		"an empty directory":     {":/nowhere", "A=1", program + " is on the PATH in the working folder"},
		"this program":           {linked, "A=1", linked + "/" + program + " is this helper itself"},
		"called by a fallback":   {dir, callerVariable + "=docker-credential-y", "docker-credential-y has called this helper again"},
		"called, with no name":   {dir, callerVariable + "=", " has called this helper again"},
		"absent, and a relative": {"/nowhere:.", "A=1", program + " is on the PATH in the working folder"},
	} {
		t.Setenv("PATH", c.path)
		got, err := find(config.Env{c.env}, program)
		if isPath := strings.HasPrefix(c.want, dir); isPath && (err != nil || got != c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		} else if !isPath && (err == nil || got != "" || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %q, %v; want the error %q", name, got, err, c.want)
		}
	}
}

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   credhelper.Output
		err    string
	}{
		"success":           {`echo "$1 $(cat) $A $AWS_ECR_INSIDE_FALLBACK"; echo note >&2`, credhelper.Output{Stdout: "get input 1 docker-credential-x\n", Stderr: "note\n", OK: true}, ""},
		"a silent success":  {"cat >/dev/null", credhelper.Output{OK: true}, ""},
		"an answer, status": {"echo no credentials; echo note >&2; exit 3", credhelper.Output{Stdout: "no credentials\n", Stderr: "note\n"}, ""},
		"a silent failure":  {"echo; echo note >&2; exit 2", credhelper.Output{}, "gave no answer to get (exit status 2) note"},
		"a signal":          {"echo no credentials; kill -KILL $$", credhelper.Output{}, "gave no answer to get (signal: killed)"},
		"a flood":           {"exec yes", credhelper.Output{}, "printed more than 1048576 bytes to get and was ended"},
		"much on stderr":    {"yes | head -c 5000 >&2; echo x", credhelper.Output{Stdout: "x\n", Stderr: strings.Repeat("y\n", maxStderr/2), OK: true}, ""},
		"the largest":       {"yes | head -c 1048576", credhelper.Output{Stdout: strings.Repeat("y\n", maxStdout/2), OK: true}, ""},
		"a child remains":   {"sleep 20 & echo x", credhelper.Output{Stdout: "x\n", OK: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", install(t, "x", "#!/bin/sh\n"+c.script+"\n")+":/usr/bin:/bin")
			began := time.Now()
			got, err := run(t.Context(), config.Env{"A=1", "PATH=/usr/bin:/bin"}, "x", "get", "input")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+.80v, %v; want %+.80v, %s", got, err, c.want, c.err)
			}
		})
	}
}

func TestRunWhatIsNoProgram(t *testing.T) {
	t.Setenv("PATH", install(t, "x", "\x7fELF"))
	if _, err := run(t.Context(), nil, "x", "get", ""); err == nil || !strings.Contains(err.Error(), "docker-credential-x can't be run: ") {
		t.Errorf("%v", err)
	}
}

func TestRunEndsAHang(t *testing.T) {
	t.Setenv("PATH", install(t, "x", "#!/bin/sh\necho started\nexec sleep 60\n")+":/usr/bin:/bin")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := run(ctx, config.Env{"PATH=/usr/bin:/bin"}, "x", "list", "")
	if err == nil || !strings.Contains(err.Error(), "gave no answer to list in time and was ended") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestIsThisProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !IsThisProgram(self) || IsThisProgram("/bin/sh") || IsThisProgram("/nowhere") {
		t.Error("another program is taken for this one, or this one isn't")
	}
}

// What the settings say of the helper is in the errors, and a list has to be one.
func TestList(t *testing.T) {
	settings := config.Settings{Fallback: "x", FallbackFrom: "map.toml:1: fallback"}
	for script, want := range map[string]string{
		`echo '{"https://a.io":"me"}'`:  "",
		"echo nothing":                  "docker-credential-x lists something else than servers and users",
		"echo no; echo why >&2; exit 1": "docker-credential-x lists nothing: why\n",
		"exit 1":                        "map.toml:1: fallback: ",
	} {
		t.Setenv("PATH", install(t, "x", "#!/bin/sh\n"+script+"\n"))
		hosts, err := List(t.Context(), config.Env{"PATH=/usr/bin:/bin"}, settings)
		if want == "" && (err != nil || hosts["https://a.io"] != "me") || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, %v; want %q", script, hosts, err, want)
		}
	}
	if hosts, err := List(t.Context(), nil, config.Settings{}); hosts != nil || err != nil {
		t.Errorf("without a fallback: %v, %v", hosts, err)
	}
	wrong := config.Settings{Fallback: "/x", FallbackErr: context.Canceled}
	if _, err := List(t.Context(), nil, wrong); err != context.Canceled {
		t.Errorf("with a wrong name: %v", err)
	}
}
