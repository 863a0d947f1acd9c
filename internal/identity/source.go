package identity

import (
	"strings"

	"docker-credential-ecr-login/internal/config"
)

// source is where the SDK's chain finds the credentials, hop by hop. It follows
// the order of the SDK's config package (resolve_credentials.go).
type source struct {
	hops []string
	// metadata is set where the instance metadata service can be the source.
	metadata bool
}

func (s source) String() string { return strings.Join(s.hops, ", ") }

func sourceOf(env config.Env, shared profiles, asked config.Principal) source {
	switch {
	case asked.WebIdentityToken != "":
		return source{hops: []string{asked.RoleARN, strings.TrimSpace("service account " + Bearer(asked.WebIdentityToken))}}
	case asked.HasWebIdentity():
		return source{hops: []string{asked.RoleARN, "web identity of the map"}}
	}
	s := ofChain(env, shared, asked.Profile)
	if asked.RoleARN != "" {
		s.hops = append([]string{asked.RoleARN}, s.hops...)
	}
	return s
}

// ofChain follows the chain from a profile or, where none is named, from where it
// begins by itself.
func ofChain(env config.Env, shared profiles, profile string) source {
	switch {
	case profile != "":
		return ofProfile(env, shared, profile)
	case hasKeys(env):
		return source{hops: []string{"environment keys"}}
	case env.Get("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		return source{hops: []string{"web identity of the environment"}}
	}
	return ofProfile(env, shared, profileOf(env, ""))
}

// profileOf is the name of the profile that is chosen, where the map names one or none.
func profileOf(env config.Env, asked string) string {
	for _, name := range []string{asked, env.Get("AWS_PROFILE"), env.Get("AWS_DEFAULT_PROFILE")} {
		if name != "" {
			return name
		}
	}
	return "default"
}

func ofProfile(env config.Env, shared profiles, name string) source {
	var s source
	seen := make(map[string]bool)
	for {
		p := shared[name]
		if p != nil {
			s.hops = append(s.hops, "profile "+name)
		}
		if role := p["role_arn"]; role != "" && !seen[name] {
			s.hops = append(s.hops, role)
		}
		next := p["source_profile"]
		if next == "" || seen[name] {
			last, metadata := ofLeaf(env, p)
			s.hops, s.metadata = append(s.hops, last), metadata
			return s
		}
		// A profile that is its own source counts for its keys.
		seen[name] = true
		name = next
	}
}

// ofLeaf tells the source of a profile that names no other profile.
func ofLeaf(env config.Env, p map[string]string) (name string, metadata bool) {
	metadata = !isMetadataDisabled(env)
	switch from := p["credential_source"]; {
	case p["aws_access_key_id"] != "" && p["aws_secret_access_key"] != "":
		return "keys", false
	case from == "Environment":
		return "environment keys", false
	case from == "EcsContainer":
		return "container credentials", false
	case from != "":
		return "instance metadata", metadata
	case p["web_identity_token_file"] != "":
		return "web identity", false
	case p["sso_session"] != "" || p["sso_start_url"] != "":
		return "SSO", false
	case p["login_session"] != "":
		return "aws login", false
	case p["credential_process"] != "":
		return "credential process", false
	case hasContainer(env):
		return "container credentials", false
	default:
		return "instance metadata", metadata
	}
}

func hasKeys(env config.Env) bool {
	id := env.Get("AWS_ACCESS_KEY_ID") + env.Get("AWS_ACCESS_KEY")
	secret := env.Get("AWS_SECRET_ACCESS_KEY") + env.Get("AWS_SECRET_KEY")
	return id != "" && secret != ""
}

func hasContainer(env config.Env) bool {
	return env.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || env.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

func isMetadataDisabled(env config.Env) bool {
	return strings.EqualFold(env.Get("AWS_EC2_METADATA_DISABLED"), "true")
}
