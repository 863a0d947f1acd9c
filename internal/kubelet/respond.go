package kubelet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// Respond returns the response to the request of a node's kubelet, as JSON. The error says why there
// is none. asAWSProvider is set if the program stands in the place of AWS's own provider.
func Respond(ctx context.Context, input string, resolver *tokensource.Resolver, asAWSProvider bool) (string, error) {
	var request Request
	switch err := json.Unmarshal([]byte(input), &request); {
	case err != nil:
		return "", errors.New("stdin holds no CredentialProviderRequest of the kubelet's")
	case request.APIVersion != API || request.Kind != RequestKind:
		return "", fmt.Errorf("the kubelet's request is of apiVersion %q and kind %q, where %s and %s are known; "+
			"let the CredentialProviderConfig say apiVersion: %[3]s", request.APIVersion, request.Kind, API, RequestKind)
	case request.Image == "":
		return "", errors.New("the kubelet's request names no image")
	}
	// As it stands in the image: the kubelet looks for the image under it.
	host, _, _ := strings.Cut(request.Image, "/")
	// Most nodes are instances, and busy while they start. For public images, too: an anonymous
	// pull counts against other limits than one of the instance's role.
	resolver.OnInstance = true
	target, source, err := resolver.Resolve(request.Image)
	if err == tokensource.ErrOtherHost {
		return marshal(NewResponse(0))
	}
	if err == nil {
		target, err = forServiceAccount(request, target, &resolver.Settings.Map, asAWSProvider)
	}
	if err != nil {
		// Even for another host: it may be an alias in a map that can't be read.
		return "", fmt.Errorf("%s: %w", host, err)
	}
	item, err := source.Token(ctx, target)
	switch {
	case target.Principal.WebIdentityToken == "" && tokensource.PullsAnonymously(target, err):
		return marshal(NewResponse(tokensource.RetryAfter))
	case err != nil:
		return "", fmt.Errorf("%s: %w", host, err)
	}
	r := NewResponse(tokensource.UsableFor(item.Token, time.Now()))
	r.Auth[host] = Auth{Username: "AWS", Password: item.Password}
	return marshal(r)
}

func marshal(r Response) (string, error) {
	text, err := json.Marshal(r)
	return string(text), err
}

// forServiceAccount returns the target with the principal of the pod's service account, if the
// kubelet has sent a token of it and there is a role for it: the one that the service account names
// or, if it names none and no entry of the map is about the registry, that of the variable. A mistake
// in it is no reason to ask as the node. An account that names an empty role has none, the variable's
// neither. In the place of AWS's provider the variable is, as there, for service accounts alone.
func forServiceAccount(request Request, t registrymap.Target, m *registrymap.Map, asAWSProvider bool) (registrymap.Target, error) {
	unmapped := t.Where == "" || t.Where == registrymap.RoleVariable
	hasToken := request.ServiceAccountToken != ""
	role, named := request.ServiceAccountAnnotations[RoleAnnotation]
	role, where := strings.TrimSpace(role), "the service account's "+RoleAnnotation
	if !named && unmapped {
		role, where = m.Default.RoleARN, registrymap.RoleVariable
	}
	switch {
	case hasToken && role != "":
		principal, err := registrymap.ServiceAccount(role, request.ServiceAccountToken)
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
