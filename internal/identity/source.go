package identity

import (
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
)

// source is where the SDK's chain finds the credentials, hop by hop. It follows
// the order of the SDK's config package (resolve_credentials.go).
type source struct {
	hops []string
	used Used
	// shared is set where a profile decides, be it one that isn't there.
	shared bool
}

func (s source) String() string { return strings.Join(s.hops, ", ") }

func sourceOf(env config.Env, shared sharedconfig.Profiles, asked registrymap.Principal) source {
	switch {
	case asked.WebIdentityToken != "":
		return source{hops: []string{asked.RoleARN, strings.TrimSpace("service account " + Bearer(asked.WebIdentityToken))}}
	case asked.HasWebIdentity():
		s := source{hops: []string{asked.RoleARN, "web identity of the map"}}
		if asked.WebIdentityTokenFile != "" {
			s.used.TokenFiles = []string{asked.WebIdentityTokenFile}
		}
		return s
	}
	s := ofChain(env, shared, asked.Profile)
	if asked.RoleARN != "" {
		s.hops = append([]string{asked.RoleARN}, s.hops...)
	}
	return s
}

// UsedBy is where the credentials come from, of those inputs that are none of the AWS configuration.
func UsedBy(env config.Env, shared sharedconfig.Profiles, asked registrymap.Principal) Used {
	return sourceOf(env, shared, asked).used
}

// ofChain follows the chain from a profile or, where none is named, from where it
// begins by itself.
func ofChain(env config.Env, shared sharedconfig.Profiles, profile string) source {
	switch file := env.Get("AWS_WEB_IDENTITY_TOKEN_FILE"); {
	case profile != "":
		return ofProfile(env, shared, profile)
	case HasKeys(env):
		return source{hops: []string{"environment keys"}}
	case file != "":
		return source{hops: []string{"web identity of the environment"}, used: Used{TokenFiles: []string{file}}}
	}
	return ofProfile(env, shared, ProfileOf(env, ""))
}

// ProfileOf is the name of the profile that is chosen, where the map names one or none.
func ProfileOf(env config.Env, asked string) string {
	for _, name := range []string{asked, env.Get("AWS_PROFILE"), env.Get("AWS_DEFAULT_PROFILE")} {
		if name != "" {
			return name
		}
	}
	return "default"
}

func ofProfile(env config.Env, shared sharedconfig.Profiles, name string) source {
	s := source{shared: true}
	chain := shared.Chain(name)
	var last *sharedconfig.Profile
	for i, p := range chain {
		s.hops = append(s.hops, "profile "+p.Name)
		if role := p.Get("role_arn"); role != "" {
			s.hops = append(s.hops, role)
		}
		last = &chain[i]
	}
	s.ofLeaf(env, last)
	return s
}

// ofLeaf adds the source of a profile that names no other profile, or of none.
func (s *source) ofLeaf(env config.Env, p *sharedconfig.Profile) {
	hop := ""
	switch from := p.Get("credential_source"); {
	case p != nil && p.HasKeys():
		hop = "keys"
	case from == "Environment":
		hop = "environment keys"
	case from == "EcsContainer":
		hop, s.used.Container = "container credentials", true
	case from != "":
		hop, s.used.Metadata = "instance metadata", true
	case p.Get("web_identity_token_file") != "":
		hop, s.used.TokenFiles = "web identity", []string{p.Get("web_identity_token_file")}
	case p.Get("sso_session") != "" || p.Get("sso_start_url") != "" || p.Get("sso_region") != "" || p.Get("sso_account_id") != "" || p.Get("sso_role_name") != "":
		hop, s.used.Logins = "SSO", true
	case p.Get("login_session") != "":
		hop, s.used.Logins = "aws login", true
	case p.Get("credential_process") != "":
		hop = "credential process"
	case hasContainer(env):
		hop, s.used.Container = "container credentials", true
	default:
		hop, s.used.Metadata = "instance metadata", true
	}
	if s.used.Metadata && IsMetadataDisabled(env) {
		hop, s.used.Metadata = "nowhere, as AWS_EC2_METADATA_DISABLED is true", false
	}
	s.hops = append(s.hops, hop)
}

// HasKeys reports whether the environment holds an access key and its secret.
func HasKeys(env config.Env) bool {
	id, secret := keysOf(env)
	return id != "" && secret != ""
}

// MissingKey names the variable of the access key that isn't set while the other is, or nothing.
func MissingKey(env config.Env) string {
	switch id, secret := keysOf(env); {
	case id != "" && secret == "":
		return "AWS_SECRET_ACCESS_KEY"
	case id == "" && secret != "":
		return "AWS_ACCESS_KEY_ID"
	}
	return ""
}

// keysOf returns the access key of the environment and its secret, by the names that the SDK knows.
func keysOf(env config.Env) (id, secret string) {
	first := func(names ...string) string {
		for _, name := range names {
			if value := env.Get(name); value != "" {
				return value
			}
		}
		return ""
	}
	return first("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), first("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
}

func hasContainer(env config.Env) bool {
	return env.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || env.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

// IsMetadataDisabled reports whether the environment turns the instance metadata service off.
func IsMetadataDisabled(env config.Env) bool {
	return strings.EqualFold(env.Get("AWS_EC2_METADATA_DISABLED"), "true")
}
