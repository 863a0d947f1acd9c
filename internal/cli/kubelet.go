package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/token"
)

// The kubelet's protocol of exec plugins, of which these are the parts that are of interest
// here: https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/
const (
	kubeletAPI = "credentialprovider.kubelet.k8s.io/v1"

	// roleAnnotation is where a service account names its role for pulls: AWS's own
	// provider reads it (github.com/kubernetes/cloud-provider-aws, cmd/ecr-credential-provider).
	roleAnnotation = "eks.amazonaws.com/ecr-role-arn"
)

type kubeletRequest struct {
	APIVersion                string            `json:"apiVersion"`
	Kind                      string            `json:"kind"`
	Image                     string            `json:"image"`
	ServiceAccountToken       string            `json:"serviceAccountToken"`
	ServiceAccountAnnotations map[string]string `json:"serviceAccountAnnotations"`
}

type kubeletResponse struct {
	APIVersion    string                 `json:"apiVersion"`
	Kind          string                 `json:"kind"`
	CacheKeyType  string                 `json:"cacheKeyType"`
	CacheDuration string                 `json:"cacheDuration"`
	Auth          map[string]kubeletAuth `json:"auth"`
}

type kubeletAuth struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// kubeletName is what AWS's own provider is called. The kubelet starts that which its
// configuration names, under that name.
const kubeletName = "ecr-credential-provider"

// ArgsOf returns the words behind the program's name, which is the first. Under the name of AWS's
// own provider that is the verb kubelet, whatever else the kubelet was told to say, but for
// what a person asks.
func ArgsOf(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	if !isAWSProvider(argv[0]) || len(argv) > 1 && slices.Contains([]string{"version", "--version", "help", "--help", "-h"}, argv[1]) {
		return argv[1:]
	}
	return []string{"kubelet"}
}

func isAWSProvider(name string) bool { return path.Base(name) == kubeletName }

// kubelet answers the kubelet of a node, which pulls the images of pods.
func (p *Process) kubelet(input string) answer {
	var asked kubeletRequest
	switch err := json.Unmarshal([]byte(input), &asked); {
	case err != nil:
		return failKubelet(p, "", "stdin holds no CredentialProviderRequest of the kubelet's")
	case asked.APIVersion != kubeletAPI || asked.Kind != "CredentialProviderRequest":
		return failKubelet(p, "", fmt.Sprintf("the kubelet's request is of apiVersion %q and kind %q, where %s and CredentialProviderRequest are known; "+
			"let the CredentialProviderConfig say apiVersion: %s", asked.APIVersion, asked.Kind, kubeletAPI, kubeletAPI))
	case asked.Image == "":
		return failKubelet(p, "", "the kubelet's request names no image")
	}
	settings, err := p.settings()
	target, ours := settings.Map.Find(asked.Image)
	if !ours {
		return respond("", "", 0)
	}
	if err == nil {
		target, err = asked.forWhom(target, isAWSProvider(p.Name))
	}
	if err != nil {
		return failKubelet(p, "", target.Host+": "+err.Error())
	}
	broker, err := p.broker(settings)
	if err != nil {
		return answer{cold: true}
	}
	item, err := broker.Token(context.Background(), target)
	switch {
	case errors.Is(err, token.ErrCold):
		return answer{cold: true}
	case err != nil && target.Registry.Public && !isMisconfigured(err):
		return respond("", "", retry) // everybody may pull from it
	case err != nil:
		return failKubelet(p, "", target.Host+": "+err.Error())
	}
	return respond(hostOf(asked.Image), item.Password, servable(item.Token, time.Now()))
}

// forWhom makes the target that of the pod's service account, where the kubelet has sent a token
// of it and there is a role for it: the one that the service account names or, for what no entry
// of the map is about, that of the variable. A mistake in it is no reason to ask as the node. In
// the place of AWS's provider the variable is, as there, for service accounts alone.
func (r kubeletRequest) forWhom(t config.Target, asAWSProvider bool) (config.Target, error) {
	ofVariable := t.Where == config.RoleVariable
	if r.ServiceAccountToken == "" {
		if ofVariable && asAWSProvider {
			t.Principal, t.Where = config.Principal{}, ""
		}
		return t, nil
	}
	role, where := r.ServiceAccountAnnotations[roleAnnotation], "the service account's "+roleAnnotation
	if role == "" && ofVariable {
		role, where = t.Principal.RoleARN, t.Where
	}
	if role == "" {
		return t, nil
	}
	principal, err := config.ServiceAccount(role, r.ServiceAccountToken)
	if err != nil {
		return t, fmt.Errorf("%s: %w", where, err)
	}
	t.Principal, t.Where = principal, where
	return t, nil
}

// hostOf is the part of an image's name that tells its registry, as it stands there: the
// kubelet looks for the image under it.
func hostOf(image string) string {
	host, _, _ := strings.Cut(image, "/")
	return host
}

// retry is after what time it is worth while to ask again for what couldn't be had.
const retry = time.Minute

// servable is how long a token may be used without asking for it again. One that is due may be
// used until the next attempt to renew it.
func servable(t cache.Token, now time.Time) time.Duration {
	return min(max(t.FreshUntil.Sub(now), retry), t.Expires.Sub(now)).Truncate(time.Second)
}

// respond answers with a password for a registry, or with none.
func respond(host, password string, life time.Duration) answer {
	r := kubeletResponse{
		APIVersion: kubeletAPI, Kind: "CredentialProviderResponse", CacheKeyType: "Registry", CacheDuration: life.String(),
		Auth: map[string]kubeletAuth{},
	}
	if host != "" {
		r.Auth[host] = kubeletAuth{"AWS", password}
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings can be written
	}
	return say(string(text))
}

// failKubelet tells on stderr, which the kubelet puts into its log.
func failKubelet(_ *Process, _, reason string) answer {
	return answer{status: 1}.explained("%s", reason)
}
