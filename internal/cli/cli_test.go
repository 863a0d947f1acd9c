package cli

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
)

const host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

// Under the name of AWS's own provider each command of the help works.
func TestEveryCommandIsKnown(t *testing.T) {
	for _, c := range table() {
		if !credhelper.IsCommand(c.name) {
			t.Errorf("credhelper.IsCommand(%q) is false", c.name)
		}
	}
	if credhelper.IsCommand("get-credentials") {
		t.Error("AWS's provider is started with get-credentials, which must stay the kubelet's verb")
	}
}

// newProcess returns a process with a new home, and what it prints.
func newProcess(t *testing.T, args ...string) (p *credhelper.Process, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	home := t.TempDir()
	return &credhelper.Process{
		Args: args, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr,
		Env: config.Env{"HOME=" + home, "PATH=/nowhere"}, Home: home,
	}, stdout, stderr
}

func TestMainChoosesACommand(t *testing.T) {
	for typed, want := range map[string]string{
		"":                      "1:: gives Docker and its kin",
		"version":               "0:docker-credential-ecr-login v0 (go)\n:",
		"-v":                    "0:docker-credential-ecr-login v0 (go)\n:",
		"--help":                "0:docker-credential-ecr-login gives Docker",
		"help":                  "0:docker-credential-ecr-login gives Docker",
		"help whoami":           "0:whoami: ",
		"help --man":            "0:.TH DOCKER",
		"help whoami --man":     "1::docker-credential-ecr-login: help: it takes one VERB, or --man; see docker-credential-ecr-login help help\n",
		"help gte":              "1::docker-credential-ecr-login: help: there is no verb \"gte\"; did you mean get?; see docker-credential-ecr-login help help\n",
		"whoami x --help y":     "0:whoami: ",
		"get -h":                "0:get: ",
		"dcotor":                "1::docker-credential-ecr-login: unknown verb \"dcotor\"; did you mean doctor?; see docker-credential-ecr-login help\n",
		"get-credentials":       "1::docker-credential-ecr-login: unknown verb \"get-credentials\"; did you mean kubelet?; see docker-credential-ecr-login help\n",
		"frobnicate":            "1::docker-credential-ecr-login: unknown verb \"frobnicate\"; see docker-credential-ecr-login help\n",
		"whoami":                "1::docker-credential-ecr-login: whoami: it takes one HOST; see docker-credential-ecr-login help whoami\n",
		"whoami ghcr.io":        "1::docker-credential-ecr-login: whoami: ghcr.io is neither a registry of ECR nor an alias in the registry map\n",
		"completion powershell": "1::docker-credential-ecr-login: completion: unknown word \"powershell\"; see docker-credential-ecr-login help completion\n",
		"completion words x":    "0:configure\t",
		"completion words":      "1::docker-credential-ecr-login: completion: it takes bash, zsh, fish or hosts; see ",
		"completion fish bash":  "1::docker-credential-ecr-login: completion: it takes bash, zsh, fish or hosts; see ",
		"cache list x":          "1::docker-credential-ecr-login: cache: it takes list, clear with one HOST or none, or path; see ",
		"doctor --jsn":          "1::docker-credential-ecr-login: doctor: there is no flag --jsn; did you mean --json?; see ",
		"list x":                "1::docker-credential-ecr-login: list takes no argument",
	} {
		p, stdout, stderr := newProcess(t, strings.Fields(typed)...)
		status := Main(p, "v0 (go)", credhelper.Dependencies{})
		got := string(rune('0'+status)) + ":" + stdout.String() + ":" + stderr.String()
		if typed == "" {
			got = strings.Replace(got, "docker-credential-ecr-login", "", 1)
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %.200q, want %q", typed, got, want)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestMainReportsABrokenStdout(t *testing.T) {
	p, _, stderr := newProcess(t, "version")
	p.Stdout = brokenWriter{}
	if status := Main(p, "v0 (go)", credhelper.Dependencies{}); status != 1 || !strings.HasSuffix(stderr.String(), "version: what it has to say can't be written: disk full\n") {
		t.Errorf("%d, %q", status, stderr)
	}
}

func TestParse(t *testing.T) {
	var json bool
	var name string
	flags := func() command {
		c := command{name: "c", flags: newFlags("c")}
		json, name = false, ""
		c.flags.BoolVar(&json, "json", false, "")
		c.flags.StringVar(&name, "name", "", "")
		return c
	}
	for _, c := range []struct {
		typed, rest, name string
		json              bool
		err               string
	}{
		{"", "", "", false, ""},
		{"a --json b", "a b", "", true, ""},
		{"a b -json", "a b", "", true, ""},
		{"--name x a --json=false", "a", "x", false, ""},
		{"a --name=x", "a", "x", false, ""},
		{"a --nam x", "", "", false, "there is no flag --nam; did you mean --name?"},
		{"a --colour", "", "", false, "there is no flag --colour"},
		{"a --name", "", "", false, "flag needs an argument: -name"},
	} {
		rest, err := flags().parse(strings.Fields(c.typed))
		if got := strings.Join(rest, " "); got != c.rest || json != c.json || name != c.name || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%q: %q, json %v, name %q, %v", c.typed, got, json, name, err)
		}
	}
	c := command{name: "c", arguments: []string{"list", "clear"}}
	for typed, want := range map[string]string{
		"":         "",
		"list":     "",
		"clear x":  "",
		"lsit":     "unknown word \"lsit\"; did you mean list?",
		"x":        "unknown word \"x\"",
		"list --x": "there is no flag --x",
	} {
		if _, err := c.parse(strings.Fields(typed)); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %v, want %q", typed, err, want)
		}
	}
}

// What the help shows as an example can be typed.
func TestExamples(t *testing.T) {
	for _, c := range table() {
		for _, e := range c.examples {
			line, _, _ := strings.Cut(e.line, " |")
			line, _, _ = strings.Cut(line, " >")
			line, _, _ = strings.Cut(line, " <")
			words := strings.Fields(line)
			if words[0] != c.name {
				t.Errorf("%s has the example %q", c.name, e.line)
			}
			if _, err := c.parse(words[1:]); err != nil {
				t.Errorf("%q: %v", e.line, err)
			}
		}
	}
}

func TestPiped(t *testing.T) {
	if got := piped(strings.NewReader("x")); got != "" {
		t.Errorf("%q of what is no file", got)
	}
	if got := piped(nil); got != "" {
		t.Errorf("%q of nothing", got)
	}
}

// A shell completes the commands, their flags and what those may be.
func TestCandidates(t *testing.T) {
	hosts := func() ([]string, error) { return []string{host}, nil }
	for typed, want := range map[string]string{
		"":                                 "configure doctor whoami cache get list store erase kubelet version help completion",
		program:                            "configure doctor whoami cache get list store erase kubelet version help completion",
		program + " frobnicate":            "",
		program + " version":               "--help",
		program + " cache":                 "list clear path --help",
		program + " cache list":            "--help",
		program + " cache clear":           host + " --help",
		program + " completion":            "bash zsh fish hosts --help",
		program + " doctor":                "--json " + host + " --help",
		program + " doctor --json":         "--json " + host + " --help",
		program + " help":                  "configure doctor whoami cache get list store erase kubelet version help completion --man --help",
		program + " help get":              "--man --help",
		program + " configure":             "--account --all --creds-store --dry-run --podman --print --region --remove " + host + " --help",
		program + " configure x":           "--account --all --creds-store --dry-run --podman --print --region --remove " + host + " --help",
		program + " configure --print":     "gitlab",
		program + " configure x --account": "",
	} {
		var words []string
		for _, line := range candidates(strings.Fields(typed), hosts) {
			word, _, _ := strings.Cut(line, "\t")
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if got := candidates([]string{program, "help"}, hosts); !slices.Contains(got, "--man\tprint the manual page, for man") {
		t.Errorf("flags without what they do: %q", got)
	}
}

func TestWrap(t *testing.T) {
	for text, want := range map[string]string{
		"":              "",
		"one":           "one",
		"one two three": "one two\nthree",
		"1234 678":      "1234 678",
		"1234 6789":     "1234\n6789",
		"one  two":      "one two",
		"one\n\ntwo":    "one\n\ntwo",
		"abcdefghijkl":  "abcdefgh\nijkl",
		"a bcdefghijkl": "a\nbcdefghi\njkl",
		"12345678 9":    "12345678\n9",
	} {
		if got := wrap(text, 8); got != want {
			t.Errorf("wrap(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPage(t *testing.T) {
	c := command{name: "c", args: "[HOST]", brief: "do", about: "About.", flags: newFlags("c"), examples: []example{{"c h", "for h"}}}
	c.flags.String("name", "", "the `NAME`")
	const want = "c: do\n\nusage: docker-credential-ecr-login c [flags] [HOST]\n\nAbout.\n\nflags:\n    --name NAME           the NAME\n" +
		"\nexamples:\n    # for h\n    docker-credential-ecr-login c h\n"
	if got := page(c); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := page(command{name: "c", brief: "do", about: "About."}); got != "c: do\n\nusage: docker-credential-ecr-login c\n\nAbout.\n" {
		t.Errorf("%q", got)
	}
}

// roff takes what begins with a dot for a macro, and a hyphen for one that may end a line.
func TestManualPage(t *testing.T) {
	got := manualPage([]command{{name: "c", brief: "do a-b", about: ".x\n\nTwo.", examples: []example{{`c \n`, "for h"}}}}, "v1 (go)")
	for _, want := range []string{
		"\"docker\\-credential\\-ecr\\-login v1\" \"User Commands\"\n",
		"\n.SS docker\\-credential\\-ecr\\-login c\nDo a\\-b.\n.PP\n\\&.x\n.PP\nTwo.\n.PP\nFor h:\n.PP\n.nf\n.RS\ndocker\\-credential\\-ecr\\-login c \\en\n.RE\n.fi\n",
		"\n.TP\n.B AWS_ECR_CONFIG\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestErrWriter(t *testing.T) {
	w := &errWriter{Writer: io.Discard}
	if w.Write([]byte("x")); w.err != nil {
		t.Error(w.err)
	}
	w.Writer = brokenWriter{}
	w.Write([]byte("x"))
	w.Writer = io.Discard
	w.Write([]byte("x"))
	if w.err == nil {
		t.Error("an error that a later write didn't have is lost")
	}
}
