package doctor

import (
	"os"
	"slices"
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/registrymap"
)

func TestMatchesImage(t *testing.T) {
	for _, c := range []struct {
		pattern, image string
		want           bool
	}{
		{"*.dkr.ecr.*.amazonaws.com", host + "/team/app", true},
		{"*.dkr.ecr.*.amazonaws.com", host, true},
		{"*.dkr.ecr.*.amazonaws.com", "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn/x", false},
		{"*.ecr.*.amazonaws.com", host, false},
		{"https://" + host, host + "/x", true},
		{host + "/team", host + "/team/app", true},
		{host + "/team/", host + "/teams/app", false},
		{host + "/team", host, true}, // the path isn't known
		{host + "/other", host + "/team/app", false},
		{"registry.example.com:5000", "registry.example.com:5000/x", true},
		{"registry.example.com", "registry.example.com:5000/x", false},
	} {
		if got := matchesImage(c.pattern, parseImage(c.image, new(registrymap.Map))); got != c.want {
			t.Errorf("matchesImage(%q, %q) = %v", c.pattern, c.image, got)
		}
	}
}

func TestParseFlags(t *testing.T) {
	for cmdline, want := range map[string]kubeletFlags{
		"kubelet --image-credential-provider-bin-dir=/bin --image-credential-provider-config=/c":  {"/bin", "/c"},
		"k3s -image-credential-provider-bin-dir /bin --image-credential-provider-config /c --v 2": {"/bin", "/c"},
		"kubelet --image-credential-provider-config=/a --image-credential-provider-config=/c":     {"", "/c"},
		"kubelet --image-credential-provider-config":                                              {},
		"": {},
	} {
		if got := parseFlags([]byte(strings.ReplaceAll(cmdline, " ", "\x00") + "\x00")); got != want {
			t.Errorf("%q: %+v, want %+v", cmdline, got, want)
		}
	}
}

func TestReadProviders(t *testing.T) {
	dir := t.TempDir()
	entry := func(name string) string { return "providers: [{name: " + name + "}]" }
	write(t, dir+"/all/2.yml", entry("two"))
	write(t, dir+"/all/1.yaml", entry("one"))
	write(t, dir+"/all/3.json", `{"providers": [{"name": "three"}, {"name": "four"}]}`)
	write(t, dir+"/all/README", "[")
	write(t, dir+"/all/4.yaml/x", entry("five"))
	write(t, dir+"/broken.yaml", "providers: [")
	write(t, dir+"/strange.yaml", "providers: MARKED")
	for name, want := range map[string]string{
		"all": "one two three four", "all/2.yml": "two",
		"broken.yaml": "error", "strange.yaml": "error", "absent": "error",
	} {
		all, err := readProviders(dir + "/" + name)
		var names []string
		for _, p := range all {
			names = append(names, p.Name)
		}
		if err != nil {
			names = []string{"error"}
			if strings.Contains(err.Error(), "MARKED") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestIsIn(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir+"/another", "")
	if isIn(dir) || isIn(dir+"/absent") {
		t.Error("this program is in a directory without it")
	}
	if err := os.Symlink(self, dir+"/name"); err != nil {
		t.Fatal(err)
	}
	if !isIn(dir) {
		t.Error("this program isn't in the directory of a link to it")
	}
}

func TestKubelet(t *testing.T) {
	good := provider{config: "c", program: "/bin/p", Name: program, APIVersion: kubelet.API, Args: []string{kubelet.Verb}, MatchImages: []string{"*.dkr.ecr.*.amazonaws.com"}}
	with := func(change func(*provider)) []provider {
		p := good
		change(&p)
		return []provider{p}
	}
	for name, c := range map[string]struct {
		image     string
		providers []provider
		want      []string
	}{
		"none":        {host, nil, nil},
		"good":        {host + "/x", []provider{good}, []string{"ok c has the kubelet call this helper for " + host}},
		"no host":     {"", []provider{good}, []string{"ok c has the kubelet call this helper for *.dkr.ecr.*.amazonaws.com"}},
		"no match":    {"public.ecr.aws/x/y", []provider{good}, []string{"failure c has | but not for public.ecr.aws/x/y (matchImages)"}},
		"one matches": {host, slices.Concat(with(func(p *provider) { p.MatchImages = nil }), []provider{good}), []string{"ok "}},
		"old API":     {host, with(func(p *provider) { p.APIVersion = "v1alpha1" }), []string{"failure c speaks v1alpha1 to | => write apiVersion: " + kubelet.API}},
		"no verb":     {host, with(func(p *provider) { p.Args = nil }), []string{"failure  | with the arguments [] => write args: [\"kubelet\"]"}},
		"AWS's name":  {host, with(func(p *provider) { p.Name, p.Args = "ecr-credential-provider", []string{"get-credentials"} }), []string{"ok "}},
		"a variable": {host, with(func(p *provider) { p.setEnv("AWS_PROFILE=a b", "AWS_SECRET_ACCESS_KEY=MARKED", "AWS_REGION=same") }), []string{
			"ok ", "warning c sets variables | => run it as the kubelet does: env 'AWS_PROFILE=a b' AWS_SECRET_ACCESS_KEY=… /bin/p doctor " + host + "$"}},
		"the same variable": {host, with(func(p *provider) { p.setEnv("AWS_REGION=same") }), []string{"ok "}},
		"wrong, a variable": {host, with(func(p *provider) { p.Args = nil; p.setEnv("AWS_PROFILE=p") }), []string{"failure "}},
	} {
		d, found := newDiagnosis(t, c.image, "", "AWS_REGION=same")
		d.providers = c.providers
		if isNode := d.kubelet(); isNode != (len(c.providers) > 0) {
			t.Errorf("%s: %v", name, isNode)
		}
		expectAll(t, name, *found, c.want)
	}
}

func (p *provider) setEnv(env ...string) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		p.Env = append(p.Env, struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
		}{name, value})
	}
}

func TestIsShown(t *testing.T) {
	for name, want := range map[string]bool{
		"AWS_ECR_CACHE_DIR": true, "AWS_REGION": true, "AWS_SECRET_ACCESS_KEY": false, "AWS_SESSION_TOKEN": false, "HTTPS_PROXY": false, "AWS_ENDPOINT_URL": false,
	} {
		if got := isShown(name); got != want {
			t.Errorf("isShown(%q) = %v", name, got)
		}
	}
}
