package binary

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kubelet "k8s.io/kubelet/config/v1"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
	"sigs.k8s.io/yaml"

	"docker-credential-ecr-login/e2e/lab"
)

const manifests = "../../testdata/kubernetes/"

// The kubelet reads the configurations of the docs, and asks the helper for every kind of
// registry there is.
func TestKubeletConfiguration(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := kubelet.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, file := range []string{"credential-provider.yaml", "service-accounts.yaml"} {
		text, err := os.ReadFile(manifests + file)
		if err != nil {
			t.Fatal(err)
		}
		var config kubelet.CredentialProviderConfig
		if _, _, err := decoder.Decode(text, nil, &config); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(config.Providers) != 1 || config.Providers[0].APIVersion != v1.SchemeGroupVersion.String() || config.Providers[0].Name != lab.Name {
			t.Fatalf("%s: %+v", file, config.Providers)
		}
		for _, row := range registryForms(t) {
			if host := row[0]; !matchesAny(host, config.Providers[0].MatchImages) {
				t.Errorf("%s: the kubelet wouldn't ask for %s", file, host)
			}
		}
		for _, host := range []string{"docker.io", "amazonaws.com", "222222222222.dkr.ecr.eu-west-1.amazonaws.com.evil.example.com"} {
			if matchesAny(host, config.Providers[0].MatchImages) {
				t.Errorf("%s: the kubelet would ask for %s", file, host)
			}
		}
	}
}

// matchesAny tells whether the kubelet takes an image of the host to be meant: a glob stands
// for one label, and the numbers of labels are equal (k8s.io/kubernetes,
// pkg/credentialprovider.URLsMatch).
func matchesAny(host string, globs []string) bool {
	for _, glob := range globs {
		labels, of := strings.Split(host, "."), strings.Split(glob, ".")
		matches := len(labels) == len(of)
		for i := 0; matches && i < len(of); i++ {
			matches, _ = filepath.Match(of[i], labels[i])
		}
		if matches {
			return true
		}
	}
	return false
}

// The fields that the product knows are those of the kubelet's types, by name and kind.
func TestKubeletTypes(t *testing.T) {
	for _, c := range []struct {
		of    any
		known map[string]string
	}{
		{v1.CredentialProviderRequest{}, map[string]string{
			"image": "string", "serviceAccountToken": "string", "serviceAccountAnnotations": "map[string]string",
		}},
		{v1.CredentialProviderResponse{}, map[string]string{
			"cacheKeyType": "v1.PluginCacheKeyType", "cacheDuration": "*v1.Duration", "auth": "map[string]v1.AuthConfig",
		}},
		{v1.AuthConfig{}, map[string]string{"username": "string", "password": "string"}},
	} {
		got := map[string]string{}
		for field := range reflect.TypeOf(c.of).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" {
				got[name] = field.Type.String()
			}
		}
		if !reflect.DeepEqual(got, c.known) {
			t.Errorf("%T has %v, not %v", c.of, got, c.known)
		}
	}
}

// The DaemonSet's script puts the helper where AWS's own was, and that answers the kubelet.
func TestDaemonSet(t *testing.T) {
	text, err := os.ReadFile(manifests + "daemonset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Kind string
		Spec struct {
			Template struct {
				Spec struct{ InitContainers []struct{ Command []string } }
			}
		}
	}
	if err := yaml.Unmarshal(text, &set); err != nil || set.Kind != "DaemonSet" || len(set.Spec.Template.Spec.InitContainers) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	l := lab.WithKeys(t)
	node := t.TempDir()
	command := set.Spec.Template.Spec.InitContainers[0].Command
	script := strings.ReplaceAll(command[len(command)-1], "/node/", node+"/")
	install := exec.Command(command[0], command[1], script)
	install.Env = l.Env
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	request, err := json.Marshal(map[string]string{"apiVersion": v1.SchemeGroupVersion.String(), "kind": "CredentialProviderRequest", "image": lab.Host + "/app"})
	if err != nil {
		t.Fatal(err)
	}
	provider := exec.Command(filepath.Join(node, "ecr-credential-provider"), "get-credentials")
	provider.Env, provider.Stdin = l.Env, strings.NewReader(string(request))
	out, err := provider.Output()
	var response v1.CredentialProviderResponse
	if err == nil {
		err = json.Unmarshal(out, &response)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if who, err := l.Cloud.VerifyToken(response.Auth[lab.Host].Password, lab.Host); err != nil || who != lab.UserARN {
		t.Errorf("the token is that of %s, %v", who, err)
	}
}
