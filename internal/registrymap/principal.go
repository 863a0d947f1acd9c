package registrymap

import (
	"strings"

	"docker-credential-ecr-login/internal/registry"
)

// Principal is a principal of AWS, as the map describes it. The zero Principal is the one that the
// AWS SDK's own chain finds.
type Principal struct {
	// Profile is a profile of the AWS shared configuration. It wins over the environment's
	// credentials.
	Profile string
	// RoleARN is the role to assume, from the profile or else from what the SDK's chain finds.
	RoleARN string
	// ExternalID and RoleSessionName go with the role, if its trust policy demands them.
	ExternalID, RoleSessionName string
	// WebIdentityTokenFile, an absolute path, or WebIdentityTokenEnv, a variable, holds the token to
	// assume the role with, in place of credentials.
	WebIdentityTokenFile, WebIdentityTokenEnv string
	// WebIdentityToken is the token itself, from the kubelet.
	WebIdentityToken string
}

// HasWebIdentity reports whether the role is assumed with a web identity token.
func (p Principal) HasWebIdentity() bool {
	return p.WebIdentityTokenFile != "" || p.WebIdentityTokenEnv != "" || p.WebIdentityToken != ""
}

// sessionOfServiceAccount is the session name that AWS's own provider uses for service accounts, so
// that policies and alarms for that provider work here, too.
const sessionOfServiceAccount = "ecr-credential-provider"

// ServiceAccount returns the principal of a pod's service account: a role, assumed with the token
// that the kubelet has sent. The error says what is wrong with the role.
func ServiceAccount(role, token string) (Principal, error) {
	return Principal{RoleARN: role, RoleSessionName: sessionOfServiceAccount, WebIdentityToken: token}, CheckRole(role, true)
}

// accountInRole stands for the registry's account in a role's ARN.
const accountInRole = "{account}"

// in returns the principal for a registry of an account.
func (p Principal) in(account string) Principal {
	p.RoleARN = strings.ReplaceAll(p.RoleARN, accountInRole, account)
	return p
}

// isRoleARN reports whether s is the ARN of an IAM role:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func isRoleARN(s string) bool {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return false
	}
	name, ok := strings.CutPrefix(parts[5], "role/")
	return ok && (parts[1] == "aws" || strings.HasPrefix(parts[1], "aws-")) && isMadeOf(parts[1], lower+"-") &&
		registry.IsAccount(parts[4]) && name != "" && isMadeOf(name, lower+upper+digits+"_+=,.@-/")
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

func isMadeOf(s, letters string) bool { return strings.Trim(s, letters) == "" }
