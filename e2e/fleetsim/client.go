package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"docker-credential-ecr-login/internal/awstest"
)

// A client is what needs the password of an image's registry on a machine, and asks a program.
type client func(ctx context.Context, m *machine, image string) (password string, err error)

// docker asks by Docker's protocol, each time.
func docker(program string) client {
	return func(ctx context.Context, m *machine, image string) (string, error) {
		out, err := m.run(ctx, registryOf(image), program, "get")
		if err != nil {
			return "", err
		}
		var answer struct{ Secret string }
		err = json.Unmarshal(out, &answer)
		return answer.Secret, err
	}
}

// kubelet asks by the kubelet's protocol, and keeps answers by registry for as long as they say,
// as the kubelet does (k8s.io/kubernetes, pkg/credentialprovider/plugin, provide): two images
// that are wanted at once are asked for twice, as it knows only from the answer what that is good
// for. Where there is an account, the images are those of its pods.
func kubelet(account *serviceAccount, words ...string) client {
	return func(ctx context.Context, m *machine, image string) (string, error) {
		registry := registryOf(image)
		if password, ok := m.cached(registry); ok {
			return password, nil
		}
		request := v1.CredentialProviderRequest{Image: image}
		request.APIVersion, request.Kind = v1.SchemeGroupVersion.String(), "CredentialProviderRequest"
		if account != nil {
			request.ServiceAccountToken = account.identity.Token(time.Now().Add(time.Hour))
			request.ServiceAccountAnnotations = map[string]string{"eks.amazonaws.com/ecr-role-arn": account.role}
		}
		text, err := json.Marshal(request)
		if err != nil {
			return "", err
		}
		out, err := m.run(ctx, string(text), words...)
		if err != nil {
			return "", err
		}
		var answer v1.CredentialProviderResponse
		if err := json.Unmarshal(out, &answer); err != nil {
			return "", err
		}
		password := answer.Auth[registry].Password
		if password == "" || answer.CacheKeyType != v1.RegistryPluginCacheKeyType || answer.CacheDuration == nil {
			return "", fmt.Errorf("%s: nothing to keep for the registry in the answer about %s", words[0], image)
		}
		m.store(registry, password, answer.CacheDuration.Duration)
		return password, nil
	}
}

// A serviceAccount is whose images a kubelet pulls, where it isn't the node.
type serviceAccount struct {
	identity awstest.WebIdentity
	role     string
}

func (m *machine) cached(registry string) (password string, ok bool) {
	m.passwordsMu.Lock()
	defer m.passwordsMu.Unlock()
	k, ok := m.passwords[registry]
	return k.password, ok && m.clock <= k.until
}

func (m *machine) store(registry, password string, life time.Duration) {
	if life == 0 {
		return // as the kubelet takes it
	}
	m.passwordsMu.Lock()
	defer m.passwordsMu.Unlock()
	m.passwords[registry] = cachedPassword{password, m.clock + life}
}

func registryOf(image string) string {
	host, _, _ := strings.Cut(image, "/")
	return host
}
