package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

const host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

// newDiagnosis returns a diagnosis of an image for a user with a new home, and what it reports.
// mapText is the user's registry map, if any.
func newDiagnosis(t *testing.T, image, mapText string, env ...string) (*diagnosis, *[]Finding) {
	t.Helper()
	home := t.TempDir()
	// A GitLab Runner on this machine doesn't count.
	env = append([]string{"HOME=" + home}, append(env, "CONFIG_FILE="+home+"/absent.toml")...)
	if mapText != "" {
		write(t, home+"/.ecr/config.toml", mapText)
	}
	resolver := tokensource.Load(env, home)
	settings := resolver.Settings
	found := new([]Finding)
	d := &diagnosis{
		Options: Options{
			Resolver: resolver, Image: image,
			Found:   func(f Finding) { *found = append(*found, f) },
			Waiting: func(string) {},
		},
		image: parseImage(image, &settings.Map),
		files: map[string]*dockerconfig.File{},
	}
	if target, isECR := settings.Map.Find(image); isECR {
		d.target = target
	}
	return d, found
}

// installFallback puts docker-credential-keys on the PATH, a shell script.
func installFallback(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(write(t, dir+"/docker-credential-keys", "#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

// write writes a file that the user alone can read, and its directories.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// text returns a finding as a line.
func text(f Finding) string {
	s := strings.TrimSpace(string(f.State) + " " + f.Found)
	if f.Fix != "" {
		s += " => " + f.Fix
	}
	return s
}

// expect fails the test unless a finding begins with the first of the parts, which " | " separates,
// and contains the others. A part that ends with $ must end the finding.
func expect(t *testing.T, name string, f Finding, want string) {
	t.Helper()
	got := text(f)
	parts := strings.Split(want, " | ")
	if !strings.HasPrefix(got, parts[0]) || got != "" && want == "" {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
	for _, part := range parts[1:] {
		if !strings.Contains(got+"$", part) {
			t.Errorf("%s: %q, want %q in it", name, got, part)
		}
	}
}

func TestTake(t *testing.T) {
	for name, c := range map[string]struct {
		image      string
		dependency dependency
		blocked    bool
		found      State
		want       State
		isBlocked  bool
	}{
		"an independent failure":           {host, independent, false, Failure, Failure, false},
		"a required failure":               {host, required, false, Failure, Failure, true},
		"a failure of AWS":                 {host, needsAWS, false, Failure, Failure, true},
		"a warning of AWS":                 {host, needsAWS, false, Warning, Warning, false},
		"AWS is needed":                    {host, needsAWS, true, OK, Skipped, true},
		"AWS is not needed":                {host, required, true, OK, OK, true},
		"nothing to report":                {host, needsAWS, false, "", "", false},
		"public ECR needs no AWS":          {"public.ecr.aws", needsAWS, false, Failure, Warning, true},
		"a required failure, public":       {"public.ecr.aws", required, false, Failure, Failure, true},
		"an independent failure, public":   {"public.ecr.aws", independent, false, Failure, Failure, false},
		"AWS is needed, and was, publicly": {"public.ecr.aws", needsAWS, true, OK, Skipped, true},
	} {
		d, found := newDiagnosis(t, c.image, "")
		d.blocked = c.blocked
		d.take(t.Context(), step{"a step", "waiting", func(*diagnosis, context.Context) Finding {
			return Finding{State: c.found, Found: "two\nlines"}
		}, c.dependency})
		var states []State
		for _, f := range *found {
			states = append(states, f.State)
			if f.Step != "a step" || strings.Contains(f.Found, "\n") {
				t.Errorf("%s: %+v", name, f)
			}
			if hasNote := len(f.Notes) > 0; hasNote != (c.want == Warning && c.found == Failure) {
				t.Errorf("%s: notes %q", name, f.Notes)
			}
		}
		if got := slices.Concat(states, []State{""})[0]; got != c.want || len(states) > 1 || d.blocked != c.isBlocked {
			t.Errorf("%s: %q, blocked %v; want %q, %v", name, states, d.blocked, c.want, c.isBlocked)
		}
	}
}

func TestTakeEndsAStep(t *testing.T) {
	d, _ := newDiagnosis(t, host, "", "AWS_ECR_TIMEOUT=1ms")
	d.take(t.Context(), step{"a step", "waiting", func(_ *diagnosis, ctx context.Context) Finding {
		<-ctx.Done()
		return Finding{}
	}, independent})
}

// A host that isn't ECR's is looked for at the fallback helper, and nowhere else.
func TestRunForFallback(t *testing.T) {
	d, found := newDiagnosis(t, "ghcr.io/x", "", "AWS_ECR_FALLBACK=keys")
	installFallback(t, `echo '{"https://ghcr.io": "me"}'`)
	Run(t.Context(), d.Options)
	var ran []string
	for _, f := range *found {
		ran = append(ran, f.Step)
	}
	if want := []string{"program", "map", "clients", "fallback"}; !slices.Equal(ran, want) {
		t.Errorf("steps %q, want %q", ran, want)
	}
}

func TestRegistryMap(t *testing.T) {
	const aliases = "[[registry]]\nhost = \"images.example.com\"\nalias_of = \"" + host + "\"\nprofile = \"p\"\n"
	for name, c := range map[string]struct{ image, mapText, env, want string }{
		"broken":          {host, "[[registry", "", "failure  | config.toml:1 | => mend it"},
		"a bad variable":  {host, "", "AWS_ECR_TIMEOUT=soon", "failure AWS_ECR_TIMEOUT"},
		"own":             {"", "", "", "ok there is no registry map; without a HOST"},
		"own, with a map": {"", aliases, "", "ok the registry map | names 1 hosts and 0 patterns; without a HOST"},
		"no entry":        {host, aliases, "", "ok the registry map | no entry matches " + host},
		"an entry":        {"images.example.com/x", aliases, "", "ok  | config.toml:4 decides for images.example.com: profile p"},
		"plain http":      {"http://images.example.com/x", aliases, "", "failure it was asked for over plain http"},
		"the variable":    {host, "", "AWS_ECR_ROLE_ARN=arn:aws:iam::222222222222:role/pull", "ok AWS_ECR_ROLE_ARN decides for | role arn:aws:iam::222222222222:role/pull"},
		"another host":    {"ghcr.io/x", "", "", "failure ghcr.io is neither | => check the name"},
		"a misspelt one":  {"22222222222.dkr.ecr.ap-south-1.amazonaws.com", "", "", "failure  | => an account has 12 digits"},
		"a fallback's":    {"ghcr.io/x", "", "AWS_ECR_FALLBACK=keys", "ok ghcr.io is neither | the fallback docker-credential-keys (AWS_ECR_FALLBACK)"},
		"misspelt, with a fallback": {"22222222222.dkr.ecr.ap-south-1.amazonaws.com", "", "AWS_ECR_FALLBACK=keys",
			"warning  | the fallback docker-credential-keys | => an account has 12 digits"},
	} {
		d, _ := newDiagnosis(t, c.image, c.mapText, c.env)
		expect(t, name, d.registryMap(t.Context()), c.want)
	}
}

func TestDescribe(t *testing.T) {
	for want, p := range map[string]registrymap.Principal{
		"the AWS SDK's own chain":                               {},
		"profile p, role arn:aws:iam::1:role/r, an external id": {Profile: "p", RoleARN: "arn:aws:iam::1:role/r", ExternalID: "MARKED"},
		"web identity of the file /f":                           {WebIdentityTokenFile: "/f"},
		"web identity of the variable V":                        {WebIdentityTokenEnv: "V"},
	} {
		if got := describe(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLog(t *testing.T) {
	d, found := newDiagnosis(t, "", "")
	if d.report(d.log(t.Context())); len(*found) > 0 {
		t.Errorf("%v of settings that are right", *found)
	}
	d.Settings.LogLevelErr, d.Settings.LogFileErr = errors.New("level"), errors.New("file")
	if d.report(d.log(t.Context())); len(*found) != 2 {
		t.Errorf("%v", *found)
	}
}

func TestOnPath(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	os.Mkdir(dir+"/linked", 0o700)
	if err := os.Symlink(self, dir+"/linked/"+program); err != nil {
		t.Fatal(err)
	}
	os.Chmod(write(t, dir+"/other/"+program, "#!/bin/sh\n"), 0o700)
	t.Chdir(dir + "/linked")
	for path, want := range map[string]string{
		dir + "/linked":                   "",
		dir + "/other:" + dir + "/linked": "clients call " + dir + "/other/" + program + ", which is another program than " + self,
		dir:                               "clients call " + program + ", which isn't on the PATH (" + dir + ")",
		".":                               program + " is on the PATH in the working folder alone",
	} {
		t.Setenv("PATH", path)
		_, problem, fix := OnPath(config.Env{"PATH=" + path})
		if !strings.HasPrefix(problem, want) || (problem == "") != (want == "") || (fix == "") != (want == "") {
			t.Errorf("PATH=%s: %q, %q; want %q", path, problem, fix, want)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "0 s",
		-59 * time.Second:             "59 s",
		time.Minute:                   "1 min",
		time.Hour - time.Second:       "59 min",
		12*time.Hour - time.Second:    "12 h 0 min",
		11*time.Hour + 59*time.Minute: "11 h 59 min",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}
