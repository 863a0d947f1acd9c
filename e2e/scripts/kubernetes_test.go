package scripts

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kubeletconfig "k8s.io/kubelet/config/v1"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
	"sigs.k8s.io/yaml"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
	"docker-credential-ecr-login/internal/kubelet"
)

const manifests = "../../testdata/kubernetes/"

// The kubelet can read the configurations of the docs, and runs the helper for every form of
// registry host.
func TestKubeletConfiguration(t *testing.T) {
	scheme := runtime.NewScheme()
	testenv.Must(t, kubeletconfig.AddToScheme(scheme))
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, file := range []string{"credential-provider.yaml", "service-accounts.yaml"} {
		text := testenv.ReadFile(t, manifests+file)
		var config kubeletconfig.CredentialProviderConfig
		if _, _, err := decoder.Decode(text, nil, &config); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(config.Providers) != 1 || config.Providers[0].APIVersion != v1.SchemeGroupVersion.String() || config.Providers[0].Name != testenv.Name {
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

// matchesAny reports whether the kubelet runs the provider for a host. A glob matches one label,
// and both have the same number of labels (k8s.io/kubernetes, pkg/credentialprovider.URLsMatch).
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

// The types of package kubelet have the same JSON fields as the types of Kubernetes.
func TestKubeletTypes(t *testing.T) {
	for _, pair := range []struct{ own, kubernetes any }{
		{kubelet.Request{}, v1.CredentialProviderRequest{}},
		{kubelet.Response{}, v1.CredentialProviderResponse{}},
		{kubelet.Auth{}, v1.AuthConfig{}},
	} {
		own, kubernetes := fields(reflect.TypeOf(pair.own)), fields(reflect.TypeOf(pair.kubernetes))
		if !maps.Equal(own, kubernetes) {
			t.Errorf("%T has %v, and %T has %v", pair.own, own, pair.kubernetes, kubernetes)
		}
	}
}

// fields returns the JSON types of a struct's fields, by name.
func fields(of reflect.Type) map[string]string {
	all := map[string]string{}
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous {
			maps.Copy(all, fields(field.Type))
			continue
		}
		all[name] = inJSON(field.Type)
	}
	return all
}

// inJSON returns the JSON type of a type. A duration is a string.
func inJSON(of reflect.Type) string {
	switch {
	case of == reflect.TypeFor[*meta.Duration]():
		return "string"
	case of.Kind() == reflect.Map:
		return "object of " + inJSON(of.Elem())
	case of.Kind() == reflect.Struct:
		return fmt.Sprint(fields(of))
	default:
		return of.Kind().String()
	}
}

// Kubernetes can read the files of the docs, and they use the same service account, role and
// audience.
func TestManifests(t *testing.T) {
	var account core.ServiceAccount
	manifest(t, "service-account.yaml", &account)
	var set apps.DaemonSet
	manifest(t, "daemonset.yaml", &set)
	var audience rbac.ClusterRole
	var binding rbac.ClusterRoleBinding
	manifest(t, "audience.yaml", &audience, &binding)
	var config kubeletconfig.CredentialProviderConfig
	manifest(t, "service-accounts.yaml", &config)
	type document struct {
		Version   string
		Statement []struct {
			Action    any
			Condition struct{ StringEquals map[string]string }
		}
	}
	var trust, pull document
	for file, into := range map[string]any{"trust-policy.json": &trust, "pull-policy.json": &pull} {
		text, err := os.ReadFile(manifests + file)
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}

	want := config.Providers[0].TokenAttributes.ServiceAccountTokenAudience
	if rule := audience.Rules[0]; len(rule.Resources) != 1 || rule.Resources[0] != want || rule.Verbs[0] != "request-serviceaccounts-token-audience" {
		t.Errorf("the rule %+v isn't about the audience %s", rule, want)
	}
	if binding.RoleRef.Name != audience.Name || binding.Subjects[0].Kind != "Group" || binding.Subjects[0].Name != "system:nodes" {
		t.Errorf("the binding is %+v", binding)
	}
	if role := account.Annotations[kubelet.RoleAnnotation]; role == "" || !slices.Contains(config.Providers[0].TokenAttributes.OptionalServiceAccountAnnotationKeys, kubelet.RoleAnnotation) {
		t.Errorf("the role is %q, and the kubelet is to send %q", role, config.Providers[0].TokenAttributes.OptionalServiceAccountAnnotationKeys)
	}
	subject := "system:serviceaccount:" + account.Namespace + ":" + account.Name
	var trusted []string
	for claim, value := range trust.Statement[0].Condition.StringEquals {
		trusted = append(trusted, claim[strings.LastIndexByte(claim, ':')+1:]+"="+value)
	}
	slices.Sort(trusted)
	if wanted := []string{"aud=" + want, "sub=" + subject}; !slices.Equal(trusted, wanted) {
		t.Errorf("the role trusts %q, want %q", trusted, wanted)
	}
	if pull.Statement[0].Action != "ecr:GetAuthorizationToken" {
		t.Errorf("the role may %v", pull.Statement[0].Action)
	}
}

// manifest reads a file of the docs as Kubernetes does. It fails on unknown fields.
func manifest(t *testing.T, file string, into ...any) {
	t.Helper()
	text := testenv.ReadFile(t, manifests+file)
	documents := strings.Split(string(text), "\n---\n")
	if len(documents) != len(into) {
		t.Fatalf("%s: %d documents, want %d", file, len(documents), len(into))
	}
	for i, document := range documents {
		if err := yaml.UnmarshalStrict([]byte(document), into[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		kind := reflect.TypeOf(into[i]).Elem().Name()
		if !strings.Contains(document, "kind: "+kind+"\n") {
			t.Errorf("%s: document %d is no %s", file, i+1, kind)
		}
	}
}

// The script of the DaemonSet replaces AWS's provider by the helper and keeps a copy of it. The
// helper then answers the kubelet.
func TestDaemonSet(t *testing.T) {
	var set apps.DaemonSet
	manifest(t, "daemonset.yaml", &set)
	env := testenv.WithKeys(t)
	node := t.TempDir()
	awsOwn := filepath.Join(node, "ecr-credential-provider")
	testenv.Must(t, os.WriteFile(awsOwn, []byte("AWS's"), 0o755))
	command := set.Spec.Template.Spec.InitContainers[0].Command
	script := strings.ReplaceAll(command[len(command)-1], "/node/", node+"/")
	for range 2 {
		install := exec.Command(command[0], command[1], script)
		install.Env = env.Vars
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if old, err := os.ReadFile(awsOwn + ".aws"); string(old) != "AWS's" {
		t.Errorf("of AWS's own provider there is %.20q, %v", old, err)
	}
	provider := exec.Command(awsOwn, "get-credentials")
	provider.Env, provider.Stdin = env.Vars, strings.NewReader(testenv.KubeletRequest(testenv.Host+"/app"))
	out, err := provider.Output()
	var response v1.CredentialProviderResponse
	if err == nil {
		err = json.Unmarshal(out, &response)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if who, err := env.AWS.VerifyToken(response.Auth[testenv.Host].Password, testenv.Host); err != nil || who != testenv.UserARN {
		t.Errorf("the token is that of %s, %v", who, err)
	}
}

// STS refuses the token of a service account while a pod's six images are pulled. One request is
// made, and all six gets fail with the reason.
func TestRefusedAccountAtOnce(t *testing.T) {
	env := testenv.New(t)
	cart := awstest.WebIdentity{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:cart", Audience: "sts.amazonaws.com"}
	env.AWS.AddRole(awstest.Role{ARN: testenv.PullRole, WebIdentity: &cart})
	env.AWS.SetLatency(time.Second) // all six start in this time
	stranger := cart
	stranger.Issuer = "https://another.example.com"
	request, err := json.Marshal(map[string]any{
		"apiVersion": v1.SchemeGroupVersion.String(), "kind": "CredentialProviderRequest", "image": testenv.Host + "/app",
		"serviceAccountToken": stranger.Token(time.Now().Add(time.Hour)), "serviceAccountAnnotations": map[string]string{kubelet.RoleAnnotation: testenv.PullRole},
	})
	testenv.Must(t, err)
	testenv.Concurrently(6, func(int) {
		if r := env.Run(t, "kubelet", string(request)); r.Status != 1 || !strings.Contains(r.Stderr, "No OpenIDConnect provider found") {
			t.Errorf("status %d, %s", r.Status, r.Stderr)
		}
	})
	mustCount(t, env, map[string]int{"sts:AssumeRoleWithWebIdentity": 1})
}
