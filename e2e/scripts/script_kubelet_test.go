package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kubelet/pkg/apis/credentialprovider/install"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
)

// codecs write requests and read responses as the kubelet's plugin code does. They refuse unknown
// fields.
var codecs = func() serializer.CodecFactory {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict)
}()

// passwordOfPod matches the password in a response, which the log of a script shortens.
var passwordOfPod = regexp.MustCompile(`("password":".{16})[^"]+`)

func (s *script) kubelet(ts *testscript.TestScript, fails bool, args []string) error {
	if len(args) > 0 && args[0] == "as-aws" {
		s.startedAs = "/opt/ecr-credential-provider"
		defer func() { s.startedAs = "" }()
		args = args[1:]
	}
	if len(args) == 0 || len(args) > 3 {
		return errors.New("usage: kubelet [as-aws] IMAGE [TOKENFILE [ROLE]]")
	}
	request := v1.CredentialProviderRequest{Image: args[0]}
	request.APIVersion, request.Kind = v1.SchemeGroupVersion.String(), "CredentialProviderRequest"
	if len(args) > 1 {
		request.ServiceAccountToken = strings.TrimSpace(ts.ReadFile(args[1]))
	}
	if len(args) > 2 {
		request.ServiceAccountAnnotations = map[string]string{"eks.amazonaws.com/ecr-role-arn": args[2]}
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	argv := []string{"kubelet"}
	r, err := s.start(ts, argv, string(text))
	fmt.Fprint(ts.Stdout(), passwordOfPod.ReplaceAllString(r.Stdout, "$1…"))
	fmt.Fprint(ts.Stderr(), r.Stderr)
	all := append(s.checkAny(r, argv, fails), err)
	if fails {
		// klog prints a message that ends with a newline as a block of its own.
		if r.Stdout != "" || r.Stderr == "" || strings.Contains(r.Stderr, "\n") {
			all = append(all, errors.New("the failure isn't one line on stderr without its newline"))
		}
		return errors.Join(all...)
	}
	var response v1.CredentialProviderResponse
	if _, _, err := codecs.UniversalDeserializer().Decode([]byte(r.Stdout), nil, &response); err != nil {
		return errors.Join(append(all, fmt.Errorf("the kubelet can't read the response: %w", err))...)
	}
	if response.CacheKeyType != v1.RegistryPluginCacheKeyType || response.CacheDuration == nil {
		all = append(all, fmt.Errorf("cacheKeyType %q, cacheDuration %v", response.CacheKeyType, response.CacheDuration))
	}
	host, _, _ := strings.Cut(args[0], "/")
	if auth, ok := response.Auth[host]; ok {
		if auth.Username != "AWS" || response.CacheDuration.Duration <= 0 {
			all = append(all, fmt.Errorf("user %q, for %v", auth.Username, response.CacheDuration.Duration))
		}
		s.server, s.passwords = host, append(s.passwords, auth.Password)
	}
	return errors.Join(all...)
}
