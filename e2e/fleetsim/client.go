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

// A client gets the password for an image on a machine by running a program.
type client func(ctx context.Context, m *machine, image string) (password string, err error)

// docker returns a client that runs a program by Docker's protocol for each pull.
func docker(program string) client {
	return func(ctx context.Context, m *machine, image string) (string, error) {
		out, err := m.run(ctx, registryOf(image), program, "get")
		if err != nil {
			return "", err
		}
		var response struct{ Secret string }
		err = json.Unmarshal(out, &response)
		return response.Secret, err
	}
}

// kubelet returns a client that runs a program by the kubelet's protocol. Like the kubelet, it
// caches each response by registry for the time that the response says (k8s.io/kubernetes,
// pkg/credentialprovider/plugin, provide). It runs the program for each of two images that are
// pulled at once, because the registry is known from the response only. With an account, the images
// are those of its pods.
func kubelet(account *serviceAccount, args ...string) client {
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
		out, err := m.run(ctx, string(text), args...)
		if err != nil {
			return "", err
		}
		var response v1.CredentialProviderResponse
		if err := json.Unmarshal(out, &response); err != nil {
			return "", err
		}
		password := response.Auth[registry].Password
		if password == "" || response.CacheKeyType != v1.RegistryPluginCacheKeyType || response.CacheDuration == nil {
			return "", fmt.Errorf("%s: nothing to keep for the registry in the answer about %s", args[0], image)
		}
		m.store(registry, password, response.CacheDuration.Duration)
		return password, nil
	}
}

// A serviceAccount is the account of the pods whose images are pulled.
type serviceAccount struct {
	identity awstest.WebIdentity
	role     string
}

// cached returns the password that the machine's kubelet has in memory.
func (m *machine) cached(registry string) (password string, ok bool) {
	m.passwordsMu.Lock()
	defer m.passwordsMu.Unlock()
	k, ok := m.passwords[registry]
	return k.password, ok && m.clock <= k.until
}

// store puts a password into the memory of the machine's kubelet.
func (m *machine) store(registry, password string, ttl time.Duration) {
	if ttl == 0 {
		return // the kubelet doesn't cache it either
	}
	m.passwordsMu.Lock()
	defer m.passwordsMu.Unlock()
	m.passwords[registry] = cachedPassword{password, m.clock + ttl}
}

func registryOf(image string) string {
	host, _, _ := strings.Cut(image, "/")
	return host
}
