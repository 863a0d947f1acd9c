package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/terminal"
)

func TestCheckChoices(t *testing.T) {
	accounts, regions := []string{"222222222222"}, []string{"eu-west-1"}
	for name, c := range map[string]struct {
		o     choices
		hosts []string
		want  string
	}{
		"a host":             {choices{}, []string{host}, ""},
		"nothing":            {choices{}, nil, "it takes a HOST"},
		"a dry run alone":    {choices{dryRun: true}, nil, "it takes a HOST"},
		"all":                {choices{all: true}, nil, ""},
		"remove":             {choices{remove: true}, nil, "it takes a HOST"},
		"remove all":         {choices{remove: true, all: true}, nil, ""},
		"the store":          {choices{store: true}, nil, ""},
		"the store, a host":  {choices{store: true}, []string{host}, "--creds-store is for all hosts"},
		"the store, account": {choices{store: true, accounts: accounts, regions: regions}, nil, "--creds-store is for all hosts"},
		"an account":         {choices{accounts: accounts}, nil, "--account and --region go together"},
		"a region":           {choices{regions: regions}, []string{host}, "--account and --region go together"},
		"both":               {choices{accounts: accounts, regions: regions}, nil, ""},
		"podman":             {choices{podman: true}, []string{host}, ""},
		"podman's store":     {choices{podman: true, store: true}, nil, "podman knows no --creds-store"},
		"print":              {choices{print: "gitlab"}, nil, ""},
		"print for a host":   {choices{print: "gitlab"}, []string{host}, ""},
		"print the store":    {choices{print: "gitlab", store: true}, nil, ""},
		"print another":      {choices{print: "jenkins"}, nil, `--print knows gitlab alone, not "jenkins"`},
		"print and remove":   {choices{print: "gitlab", remove: true}, nil, "--print changes nothing"},
		"print, dry run":     {choices{print: "gitlab", dryRun: true}, nil, "--print changes nothing"},
		"print for podman":   {choices{print: "gitlab", podman: true}, nil, "--print changes nothing"},
	} {
		err := c.o.check(c.hosts)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestHosts(t *testing.T) {
	for name, c := range map[string]struct {
		o    choices
		args []string
		want string
	}{
		"sorted, once":   {choices{}, []string{"public.ecr.aws", "https://" + host + "/x", host}, host + " public.ecr.aws"},
		"another host":   {choices{}, []string{host, "ghcr.io"}, "error: ghcr.io is neither a registry of ECR nor an alias in the registry map; nothing is changed"},
		"accounts":       {choices{accounts: []string{"333333333333", "222222222222"}, regions: []string{"ap-south-1"}}, nil, host + " 333333333333.dkr.ecr.ap-south-1.amazonaws.com"},
		"a bad account":  {choices{accounts: []string{"22"}, regions: []string{"ap-south-1"}}, nil, `error: there is no registry of account "22" in region "ap-south-1"`},
		"a bad region":   {choices{accounts: []string{"222222222222"}, regions: []string{"India"}}, nil, "error: there is no registry"},
		"an odd region":  {choices{accounts: []string{"222222222222"}, regions: []string{"ap-south-1.x"}}, nil, "error: there is no registry"},
		"upper case":     {choices{accounts: []string{"222222222222"}, regions: []string{"AP-SOUTH-1"}}, nil, "error: there is no registry"},
		"all of nothing": {choices{all: true}, nil, "error: the registry map names no host"},
		"remove all":     {choices{all: true, remove: true}, nil, ""},
	} {
		hosts, err := c.o.hosts(new(registrymap.Map), c.args)
		got := strings.Join(hosts, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestListed(t *testing.T) {
	var list []string
	add := listed(&list)
	add("a, b")
	add("c")
	if !slices.Equal(list, []string{"a", "b", "c"}) {
		t.Errorf("%q", list)
	}
}

// newSession returns a session, and what it prints.
func newSession() (s *session, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return &session{Process: credhelper.Process{Stdout: stdout, Stderr: stderr}, notice: new(terminal.Notice)}, stdout, stderr
}

func TestRemoveFrom(t *testing.T) {
	const ours = `"` + host + `": "ecr-login"`
	for name, c := range map[string]struct {
		o       choices
		hosts   []string
		text    string
		removed string
		warning string
	}{
		"a host":            {choices{}, []string{host}, `{"credHelpers": {` + ours + `}}`, host, ""},
		"none":              {choices{}, []string{host}, `{}`, "", ""},
		"a scheme":          {choices{}, []string{host}, `{"credHelpers": {"https://` + host + `": "ecr-login"}}`, "https://" + host, ""},
		"another's":         {choices{}, []string{host}, `{"credHelpers": {"` + host + `": "pass"}}`, "", "docker-credential-pass is called for " + host + ", which stays so"},
		"another's, scheme": {choices{}, []string{host}, `{"credHelpers": {"https://` + host + `": "pass"}}`, "", ""},
		"a host, our store": {choices{}, []string{host}, `{"credHelpers": {` + ours + `}, "credsStore": "ecr-login"}`, host, "still called for all hosts"},
		"all":               {choices{all: true}, nil, `{"credHelpers": {` + ours + `, "ghcr.io": "gh"}, "credsStore": "ecr-login"}`, host + " all hosts", ""},
		"all, no store":     {choices{all: true}, nil, `{"credHelpers": {` + ours + `}, "credsStore": "pass"}`, host, ""},
		"the store":         {choices{store: true}, nil, `{"credHelpers": {` + ours + `}, "credsStore": "ecr-login"}`, "all hosts", ""},
		"another store":     {choices{store: true}, nil, `{"credsStore": "pass"}`, "", "docker-credential-pass is called for all hosts, which stays so"},
	} {
		f, err := dockerconfig.Parse("f", c.text)
		if err != nil {
			t.Fatal(err)
		}
		s, _, stderr := newSession()
		removed := strings.Join(s.removeFrom(f, c.o, c.hosts), " ")
		if removed != c.removed || !strings.Contains(stderr.String(), c.warning) || (c.warning == "") != (stderr.Len() == 0) {
			t.Errorf("%s: %q, %q; want %q, %q", name, removed, stderr, c.removed, c.warning)
		}
		if f.Changed() != (c.removed != "") {
			t.Errorf("%s: the file is now %s", name, f.Text())
		}
	}
}

func TestWarnOfStore(t *testing.T) {
	const auths = `"auths": {"ghcr.io": {"auth": "bWU6eA=="}}`
	for name, c := range map[string]struct {
		text, fallback string
		want           []string
	}{
		"nothing":                   {`{}`, "", nil},
		"this store":                {`{"credsStore": "ecr-login"}`, "", nil},
		"another store":             {`{"credsStore": "pass"}`, "", []string{"set AWS_ECR_FALLBACK=pass"}},
		"another, as the fallback":  {`{"credsStore": "pass"}`, "pass", nil},
		"another than the fallback": {`{"credsStore": "pass"}`, "keys", []string{"docker-credential-pass was called for all hosts until now; the fallback is keys"}},
		"passwords":                 {`{` + auths + `}`, "", []string{"the passwords in f for ghcr.io are no longer found"}},
		"passwords, a fallback":     {`{` + auths + `}`, "keys", nil},
		"both":                      {`{"credsStore": "pass", ` + auths + `}`, "", []string{"pass", "ghcr.io"}},
	} {
		f, err := dockerconfig.Parse("f", c.text)
		if err != nil {
			t.Fatal(err)
		}
		s, _, stderr := newSession()
		s.warnOfStore(f, config.Settings{Fallback: c.fallback})
		lines := slices.Collect(strings.Lines(stderr.String()))
		if !slices.EqualFunc(lines, c.want, strings.Contains) {
			t.Errorf("%s: %q, want %q", name, lines, c.want)
		}
	}
}

func TestSave(t *testing.T) {
	for name, c := range map[string]struct {
		o    choices
		edit bool
		want []string
	}{
		"added":         {choices{}, true, []string{"clients now call this helper for " + host + "\n", "next: " + program + " doctor " + host + "\n"}},
		"was there":     {choices{}, false, []string{"nothing to change: clients call this helper for " + host + "\n", "next: "}},
		"the store":     {choices{store: true}, true, []string{"clients now call", "next: " + program + " doctor\n"}},
		"removed":       {choices{remove: true}, true, []string{"this helper is no longer named for " + host + "\n"}},
		"wasn't there":  {choices{remove: true}, false, []string{"nothing to change: this helper isn't named for that\n"}},
		"a dry run":     {choices{dryRun: true}, true, []string{"--- ", "+++ ", "", "", ""}},
		"dry, as it is": {choices{dryRun: true}, false, []string{"nothing to change", "next: "}},
	} {
		path := t.TempDir() + "/config.json"
		f, err := dockerconfig.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.edit {
			f.SetHelper(host)
		}
		s, stdout, _ := newSession()
		if err := s.save(f, c.o, []string{host}); err != nil {
			t.Fatal(err)
		}
		lines := slices.Collect(strings.Lines(stdout.String()))
		if c.o.dryRun && c.edit {
			lines = lines[:min(len(lines), len(c.want))]
		}
		if !slices.EqualFunc(lines, c.want, strings.Contains) {
			t.Errorf("%s: %q, want %q", name, lines, c.want)
		}
		saved, err := dockerconfig.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.edit && !c.o.dryRun; saved.Exists() != want {
			t.Errorf("%s: the file is written: %v", name, saved.Exists())
		}
	}
}

func TestTOMLString(t *testing.T) {
	if got := tomlString(`a"\b`); got != `"a\"\\b"` {
		t.Error(got)
	}
}
