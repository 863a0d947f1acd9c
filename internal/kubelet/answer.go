package credhelper

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// kubelet answers the kubelet of a node, which pulls the images of pods.
func (p *Process) kubelet(input string) response {
	var asked kubelet.Request
	switch err := json.Unmarshal([]byte(input), &asked); {
	case err != nil:
		return refuse("stdin holds no CredentialProviderRequest of the kubelet's")
	case asked.APIVersion != kubelet.API || asked.Kind != kubelet.RequestKind:
		return refuse("the kubelet's request is of apiVersion %q and kind %q, where %s and %s are known; "+
			"let the CredentialProviderConfig say apiVersion: %[3]s", asked.APIVersion, asked.Kind, kubelet.API, kubelet.RequestKind)
	case asked.Image == "":
		return refuse("the kubelet's request names no image")
	}
	settings, err := p.settings()
	ctx, cancel := p.context()
	defer cancel()
	target, ours := settings.Map.Find(asked.Image)
	if err == nil && !ours {
		return respond(kubelet.NewResponse(0))
	}
	host := hostOf(asked.Image)
	if err == nil {
		target, err = forWhom(asked, target, &settings.Map, kubelet.IsAWSProvider(p.Name))
	}
	if err != nil {
		// Even for what isn't ECR's: it may be an alias in a map that can't be read.
		return refuse("%s: %v", host, err)
	}
	broker, err := p.broker(settings)
	if err != nil {
		return response{miss: true}
	}
	// Most nodes are instances, and busy while they start. For public images, too: an anonymous
	// pull counts against other limits than one of the instance's role.
	broker.OnInstance = true
	item, err := broker.Token(ctx, target)
	switch {
	case errors.Is(err, tokensource.ErrCacheMiss):
		return response{miss: true}
	case err != nil && target.Principal.WebIdentityToken == "" && pullsAnonymously(target, err):
		return respond(kubelet.NewResponse(retry))
	case err != nil:
		return refuse("%s: %v", host, err)
	}
	r := kubelet.NewResponse(servable(item.Token, time.Now()))
	r.Auth[host] = kubelet.Auth{Username: "AWS", Password: item.Password}
	return respond(r)
}

// forWhom makes the target that of the pod's service account, where the kubelet has sent a token
// of it and there is a role for it: the one that the service account names or, where it names none
// and no entry of the map is about the registry, that of the variable. A mistake in it is no reason
// to ask as the node. An account that names an empty role has none, the variable's neither. In the
// place of AWS's provider the variable is, as there, for service accounts alone.
func forWhom(asked kubelet.Request, t registrymap.Target, m *registrymap.Map, asAWSProvider bool) (registrymap.Target, error) {
	unmapped := t.Where == "" || t.Where == registrymap.RoleVariable
	hasToken := asked.ServiceAccountToken != ""
	role, named := asked.ServiceAccountAnnotations[kubelet.RoleAnnotation]
	role, where := strings.TrimSpace(role), "the service account's "+kubelet.RoleAnnotation
	if !named && unmapped {
		role, where = m.Default.RoleARN, registrymap.RoleVariable
	}
	switch {
	case hasToken && role != "":
		principal, err := registrymap.ServiceAccount(role, asked.ServiceAccountToken)
		if err != nil {
			return t, fmt.Errorf("%s: %w", where, err)
		}
		t.Principal, t.Where = principal, where
	case unmapped && (hasToken && named || !hasToken && asAWSProvider):
		t.Principal, t.Where = registrymap.Principal{}, ""
	default:
		return t, nil
	}
	if t.Refusal == m.DefaultErr {
		t.Refusal = nil // of a variable that isn't used
	}
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

func respond(r kubelet.Response) response {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings can be written
	}
	return say(string(text))
}
