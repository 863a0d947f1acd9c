package registrymap

import (
	"strings"

	"docker-credential-ecr-login/internal/registry"
)

// Principal is whom AWS is asked as, as far as the map says so. The zero
// Principal is whom the AWS SDK's own chain finds.
type Principal struct {
	// Profile is one of the AWS shared configuration, whose whole chain counts,
	// whatever the environment holds.
	Profile string
	// RoleARN is the role that is assumed from the profile or, where none is
	// named, from what the SDK's chain finds.
	RoleARN string
	// ExternalID and RoleSessionName go with the role, where its trust policy
	// wants them.
	ExternalID, RoleSessionName string
	// WebIdentityTokenFile, an absolute path, or WebIdentityTokenEnv, a variable,
	// holds the token to assume the role with, in place of credentials.
	WebIdentityTokenFile, WebIdentityTokenEnv string
	// WebIdentityToken is that token itself, which the kubelet has sent.
	WebIdentityToken string
}

// HasWebIdentity tells whether the role is assumed with a web identity token.
func (p Principal) HasWebIdentity() bool {
	return p.WebIdentityTokenFile != "" || p.WebIdentityTokenEnv != "" || p.WebIdentityToken != ""
}

// sessionOfServiceAccount is what AWS's own provider calls the sessions of service accounts,
// so that what is written for those in policies and alarms holds for these.
const sessionOfServiceAccount = "ecr-credential-provider"

// ServiceAccount is the principal of a pod's service account: a role, assumed with the token
// that the kubelet has for it. The error says what is wrong with the role.
func ServiceAccount(role, token string) (Principal, error) {
	return Principal{RoleARN: role, RoleSessionName: sessionOfServiceAccount, WebIdentityToken: token}, CheckRole(role, true)
}

// accountInRole stands in a role's ARN for the account of the registry.
const accountInRole = "{account}"

// in returns the principal for a registry of an account.
func (p Principal) in(account string) Principal {
	p.RoleARN = strings.ReplaceAll(p.RoleARN, accountInRole, account)
	return p
}

// isRoleARN tells whether s is the ARN of an IAM role:
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
