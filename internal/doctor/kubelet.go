package doctor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/fallback"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/sanitize"
)

// provider is an entry of a CredentialProviderConfig by which the kubelet of this node starts this
// program:
// https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/#kubelet-config-k8s-io-v1-CredentialProvider
type provider struct {
	config  string // the file that holds it
	program string // path of the file that the kubelet starts

	Name        string   `yaml:"name"`
	APIVersion  string   `yaml:"apiVersion"`
	Args        []string `yaml:"args"`
	MatchImages []string `yaml:"matchImages"`
	Env         []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
	} `yaml:"env"`
}

// kubeletFlags are what a kubelet is told about credential providers.
type kubeletFlags struct{ binDir, config string }

// usualFlags are those of docs/kubernetes.md, and of EKS's nodes: they count if no running kubelet
// can be seen, as in a container.
var usualFlags = []kubeletFlags{
	{"/usr/local/lib/kubelet-credential-providers", "/etc/kubernetes/credential-provider.yaml"},
	{"/etc/eks/image-credential-provider", "/etc/eks/image-credential-provider/config.json"},
}

// findProviders finds the entries by which kubelets start this program, and reports the files of
// such kubelets that can't be read.
func (d *diagnosis) findProviders() {
	flags := runningKubelets()
	if len(flags) == 0 {
		flags = usualFlags
	}
	for _, f := range flags {
		if !isIn(f.binDir) {
			continue
		}
		entries, err := readProviders(f.config)
		switch {
		case errors.Is(err, fs.ErrPermission):
			d.report(warn("", "%v; run doctor as root", err))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			d.report(warn("", "%v; fix it: a kubelet that can't read it doesn't start", err))
		}
		for _, p := range entries {
			p.config, p.program = f.config, filepath.Join(f.binDir, p.Name)
			if fallback.IsThisProgram(p.program) {
				d.providers = append(d.providers, p)
			}
		}
	}
}

// isIn reports whether this program is in a directory, under any name.
func isIn(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return fallback.IsThisProgram(filepath.Join(dir, e.Name()))
	})
}

// runningKubelets returns the flags of the kubelets that run here, as root or as this user: what
// others run must not have root read a file of their choice. Some distributions have the kubelet in
// a program of another name.
func runningKubelets() []kubeletFlags {
	var all []kubeletFlags
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, info, err := atomicfile.ReadRegular(file, maxConfig)
		if err != nil || !atomicfile.IsTrusted(info) {
			continue
		}
		f := parseFlags(text)
		if f.binDir != "" && f.config != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// parseFlags reads the flags out of a command line of /proc.
func parseFlags(cmdline []byte) kubeletFlags {
	words := strings.Split(string(bytes.TrimRight(cmdline, "\x00")), "\x00")
	values := map[string]string{}
	for i, word := range words {
		name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if !hasValue && i+1 < len(words) {
			value = words[i+1]
		}
		values[name] = value
	}
	return kubeletFlags{values["image-credential-provider-bin-dir"], values["image-credential-provider-config"]}
}

// readProviders reads a CredentialProviderConfig, or all of a directory as the kubelet does
// (k8s.io/kubernetes, pkg/credentialprovider/plugin).
func readProviders(file string) ([]provider, error) {
	files := []string{file}
	if entries, err := os.ReadDir(file); err == nil {
		files = nil
		for _, entry := range entries {
			if entry.Type().IsRegular() && slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(entry.Name())) {
				files = append(files, filepath.Join(file, entry.Name()))
			}
		}
	}
	var all []provider
	for _, file := range files {
		text, _, err := atomicfile.ReadRegular(file, maxConfig)
		if err != nil {
			return nil, err
		}
		var found struct {
			Providers []provider `yaml:"providers"`
		}
		err = yaml.Unmarshal(text, &found) // JSON is YAML
		var mismatch *yaml.TypeError       // its text has values of the file
		if errors.As(err, &mismatch) {
			err = errors.New("it is not a CredentialProviderConfig")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, found.Providers...)
	}
	return all, nil
}

// kubelet judges how the kubelet starts this program. It returns false if no kubelet does.
func (d *diagnosis) kubelet() bool {
	isMatched := false
	for _, p := range d.providers {
		matches := func(pattern string) bool { return matchesImage(pattern, d.image) }
		if d.image.host != "" && !slices.ContainsFunc(p.MatchImages, matches) {
			continue
		}
		isMatched = true
		f := p.judge(d.image)
		d.report(f)
		if f.State == OK {
			d.report(p.judgeEnv(d.image, d.Env))
		}
	}
	if len(d.providers) > 0 && !isMatched {
		d.report(fail("add it to matchImages, and restart the kubelet", "%s has the kubelet call this helper, but not for %s (matchImages)",
			d.providers[0].config, path.Join(d.image.host, d.image.repository)))
	}
	return len(d.providers) > 0
}

// judge returns the finding about how the kubelet starts this program for an image.
func (p provider) judge(i image) Finding {
	switch {
	case p.APIVersion != kubelet.API:
		return fail("write apiVersion: "+kubelet.API, "%s speaks %s to %s, which it doesn't know", p.config, p.APIVersion, p.Name)
	case !kubelet.IsAWSProvider(p.Name) && !slices.Equal(p.Args, []string{kubelet.Verb}):
		return fail(fmt.Sprintf("write args: [%q]", kubelet.Verb), "%s has the kubelet start %s with the arguments %q", p.config, p.Name, p.Args)
	}
	return ok("%s has the kubelet call this helper for %s", p.config, cmp.Or(i.host, strings.Join(p.MatchImages, ", ")))
}

// judgeEnv warns of variables that the kubelet sets for this program and that differ in env: then
// the other checks are about another environment.
func (p provider) judgeEnv(i image, env config.Env) Finding {
	var missing []string
	for _, e := range p.Env {
		switch {
		case env.Get(e.Name) == e.Value:
		case isShown(e.Name):
			missing = append(missing, sanitize.ShellWord(e.Name+"="+e.Value))
		default:
			missing = append(missing, e.Name+"=…")
		}
	}
	if len(missing) == 0 {
		return Finding{}
	}
	return warn("run it as the kubelet does: env "+strings.Join(missing, " ")+" "+sanitize.ShellWord(p.program)+" doctor "+i.String(),
		"%s sets variables that aren't set here", p.config)
}

// isShown reports whether the value of a variable can't be a secret: a key, or a proxy's password.
func isShown(name string) bool {
	return strings.HasPrefix(name, config.OwnPrefix) || slices.Contains([]string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE",
	}, name)
}

// matchesImage reports whether a pattern of matchImages is for an image, as the kubelet decides it:
// each label of the host is a glob, the port is the same, and the path is a prefix
// (k8s.io/kubernetes, pkg/credentialprovider, URLsMatch). Of an image without a repository the path
// isn't known.
func matchesImage(pattern string, i image) bool {
	pattern = strings.TrimPrefix(strings.TrimPrefix(pattern, "https://"), "http://")
	host, prefix, _ := strings.Cut(pattern, "/")
	host, port, _ := strings.Cut(host, ":")
	imageHost, imagePort, _ := strings.Cut(i.host, ":")
	labels := strings.NewReplacer(".", "/") // a star matches no slash
	isMatch, err := path.Match(labels.Replace(host), labels.Replace(imageHost))
	return err == nil && isMatch && port == imagePort &&
		(i.repository == "" || strings.HasPrefix(i.repository, prefix))
}
