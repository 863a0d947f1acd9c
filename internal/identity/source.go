package identity

import (
	"cmp"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/sharedconfig"
)

const credentialProcess = "credential process"

// Source is where the SDK's chain finds the credentials.
type Source struct {
	// Used are the inputs that are no part of the AWS configuration.
	Used Used
	// hops are the roles and profiles on the way to the credentials, and then what holds these.
	hops []string
	// profile is the last of the profiles. fromProfile is set if one decides, even one that doesn't
	// exist.
	profile     string
	fromProfile bool
}

// SourceOf returns where the chain finds the credentials of a principal: with the first candidate
// that has some.
func SourceOf(env config.Env, shared sharedconfig.Profiles, asked config.Principal) Source {
	name := ProfileOf(env, asked.Profile)
	s := Source{profile: name}
	for _, p := range shared.Chain(name) {
		s.profile = p.Name
	}
	if asked.RoleARN != "" {
		s.hops = []string{asked.RoleARN}
	}
	switch {
	case asked.WebIdentityToken != "":
		s.hops = append(s.hops, strings.TrimSpace("service account "+Bearer(asked.WebIdentityToken)))
		return s
	case asked.HasWebIdentity():
		s.hops = append(s.hops, "web identity of the map")
		if asked.WebIdentityTokenFile != "" {
			s.Used.TokenFiles = []string{asked.WebIdentityTokenFile}
		}
		return s
	}
	for _, c := range candidates(env, shared, asked) {
		if c.behind != "" {
			continue
		}
		s.fromProfile = s.fromProfile || c.name == "profile "+name
		s.hops, s.Used = append(s.hops, c.hops...), c.used
		if c.hasCredentials {
			break
		}
	}
	return s
}

// String returns the hops, for people.
func (s Source) String() string { return strings.Join(s.hops, ", ") }

func (s Source) last() string {
	if len(s.hops) == 0 {
		return ""
	}
	return s.hops[len(s.hops)-1]
}

// Name returns what holds the credentials, for messages.
func (s Source) Name() string {
	switch s.last() {
	case environmentKeys:
		return "the environment (AWS_ACCESS_KEY_ID)"
	case instanceMetadata:
		return "the instance metadata service"
	case containerCredentials:
		return "the container credentials endpoint"
	case credentialProcess:
		return "the credential_process of profile " + s.profile
	}
	return "profile " + s.profile
}

// ProfileOf returns the name of the profile that is chosen, by the map or else by the environment.
func ProfileOf(env config.Env, asked string) string {
	return cmp.Or(asked, env.Get("AWS_PROFILE"), env.Get("AWS_DEFAULT_PROFILE"), "default")
}

// HasKeys reports whether the environment holds an access key and its secret.
func HasKeys(env config.Env) bool {
	id, secret := keysOf(env)
	return id != "" && secret != ""
}

// MissingKey returns the variable of the access key that isn't set while the other is, or nothing.
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
	return cmp.Or(env.Get("AWS_ACCESS_KEY_ID"), env.Get("AWS_ACCESS_KEY")),
		cmp.Or(env.Get("AWS_SECRET_ACCESS_KEY"), env.Get("AWS_SECRET_KEY"))
}

// isMetadataDisabled reports whether the environment turns the instance metadata service off.
func isMetadataDisabled(env config.Env) bool {
	return strings.EqualFold(env.Get("AWS_EC2_METADATA_DISABLED"), "true")
}
