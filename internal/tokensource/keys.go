package tokensource

import (
	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/registry"
)

// FamilyOf returns the family of the tokens that open a registry for an identity. For the zero
// Registry it names a lock and a failure, and no token.
func FamilyOf(identity string, r registry.Registry) cache.Family {
	if r == (registry.Registry{}) {
		return cache.Family{Identity: identity, Region: "own", EndpointVariant: "own"}
	}
	return cache.Family{
		Identity: identity, Region: r.TokenRegion(), EndpointVariant: r.EndpointVariant(),
	}
}

// KeyOf returns the key of the identity's token for a registry.
func KeyOf(identity string, r registry.Registry) cache.Key {
	return cache.Key{Family: FamilyOf(identity, r), Registry: r.ID()}
}

// RegistryOf returns the registry of a key, and false if the key isn't of a registry of ECR.
func RegistryOf(key cache.Key) (registry.Registry, bool) {
	return registry.Of(key.Registry, key.Region, key.EndpointVariant)
}
