// Package kubelet answers the kubelet of a Kubernetes node, which asks credential providers when it
// pulls the images of pods. See
// https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/
//
// It is on the path of a warm answer and imports nothing of the AWS SDK or of Kubernetes.
package kubelet

import (
	"path"
	"time"
)

const (
	// API is the version of the protocol.
	API = "credentialprovider.kubelet.k8s.io/v1"

	// RequestKind is the kind of a [Request].
	RequestKind  = "CredentialProviderRequest"
	responseKind = "CredentialProviderResponse"

	// RoleAnnotation is where a service account names its role for pulls: AWS's own
	// provider reads it (github.com/kubernetes/cloud-provider-aws, cmd/ecr-credential-provider).
	RoleAnnotation = "eks.amazonaws.com/ecr-role-arn"

	// Timeout is how long an answer may take. The kubelet kills the provider after a minute
	// (k8s.io/kubernetes, pkg/credentialprovider/plugin).
	Timeout = 55 * time.Second

	// Verb is the argument that makes this helper a credential provider.
	Verb = "kubelet"

	// AWSArgument is the argument that AWS's own provider is often given, and ignores.
	AWSArgument = "get-credentials"

	// awsProvider is what AWS's own provider is called. The kubelet starts that which its
	// configuration names, under that name.
	awsProvider = "ecr-credential-provider"
)

// Request is what the kubelet writes to stdin.
type Request struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Image is the name of an image, with its registry.
	Image string `json:"image"`
	// ServiceAccountToken is that of the pod's service account, if the kubelet's configuration has
	// it sent. ServiceAccountAnnotations are the ones that the configuration lists.
	ServiceAccountToken       string            `json:"serviceAccountToken"`
	ServiceAccountAnnotations map[string]string `json:"serviceAccountAnnotations"`
}

// Response is what the kubelet reads from stdout.
type Response struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// CacheKeyType says for which images the response is valid: "Registry" is all of a registry.
	CacheKeyType string `json:"cacheKeyType"`
	// CacheDuration is how long it is valid, such as "1h0m0s".
	CacheDuration string `json:"cacheDuration"`
	// Auth has the credentials by host. It is empty if there are none.
	Auth map[string]Auth `json:"auth"`
}

// Auth is a user and a password.
type Auth struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// NewResponse returns the response that holds for a registry's images for some time, with no
// credentials yet.
func NewResponse(life time.Duration) Response {
	return Response{APIVersion: API, Kind: responseKind, CacheKeyType: "Registry", CacheDuration: life.String(), Auth: map[string]Auth{}}
}

// IsAWSProvider reports whether a program of that name takes the place of AWS's own provider.
func IsAWSProvider(name string) bool { return path.Base(name) == awsProvider }

// ArgsOf returns the arguments of the program, whose name is the first of argv. Under the name of
// AWS's own provider, which takes none, they count if the first is a command of this program;
// otherwise ArgsOf returns [Verb], whatever the kubelet passes, such as [AWSArgument].
func ArgsOf(argv []string, isCommand func(string) bool) []string {
	switch {
	case len(argv) == 0:
		return nil
	case !IsAWSProvider(argv[0]), len(argv) > 1 && isCommand(argv[1]):
		return argv[1:]
	default:
		return []string{Verb}
	}
}
