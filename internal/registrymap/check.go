package registrymap

import (
	"fmt"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/registry"
)

// checkHost checks what an entry is for, and sets its registry, pattern or alias.
func (r *reader) checkHost(e *entry) error {
	byAccount := e.accounts != nil || e.regions != nil
	switch {
	case e.host == "" && !byAccount:
		return r.mistake(e.line, "this [[registry]] has no host, nor accounts and regions")
	case e.host != "" && byAccount:
		return r.mistake(e.line, "this [[registry]] has a host and accounts or regions; take one of the two")
	case byAccount && (e.accounts == nil || e.regions == nil):
		return r.mistake(e.line, "accounts and regions go together; this [[registry]] has one of the two")
	case byAccount && e.aliasOf != "":
		return r.mistake(r.lines["alias_of"], "alias_of wants a host, not accounts and regions")
	case byAccount:
		return r.checkAccounts(e)
	}
	line := r.lines["host"]
	e.host = strings.ToLower(e.host)
	address, ok := registry.ParseAddress(e.host)
	if !ok || strings.TrimSuffix(e.host, ":"+address.Port) != address.Host {
		return r.mistake(line, "host %q is no bare host name", e.host)
	}
	ecr, isECR := registry.Parse(e.host)
	switch {
	case e.aliasOf != "":
		return r.checkAlias(e, address, isECR)
	case strings.Contains(e.host, "*"):
		if e.pattern, ok = registry.ParsePattern(e.host); !ok {
			return r.mistake(line, "host %q can match no ECR registry (* stands for a part of one label)", e.host)
		}
	case !isECR:
		return r.mistake(line, "host %q is no ECR registry; if it stands for one, name that in alias_of", e.host)
	case address.Port != "":
		return r.mistake(line, "host %q has a port; ECR has one only", e.host)
	}
	e.registry = ecr
	return nil
}

func (r *reader) checkAlias(e *entry, address registry.Address, isECR bool) error {
	switch {
	case isECR:
		return r.mistake(r.lines["alias_of"], "host %q is an ECR registry itself, and can't be an alias", e.host)
	case !isMadeOf(address.Host, lower+digits+".-") || slices.Contains(strings.Split(address.Host, "."), ""):
		return r.mistake(r.lines["host"], "host %q can't be an alias; that is one host name", e.host)
	}
	stands, ok := registry.Parse(e.aliasOf)
	if !ok || stands.Host() != strings.ToLower(e.aliasOf) {
		return r.mistake(r.lines["alias_of"], "alias_of %q is no ECR registry", e.aliasOf)
	}
	e.registry, e.alias = stands, address
	return nil
}

func (r *reader) checkAccounts(e *entry) error {
	for _, account := range e.accounts {
		if !registry.IsAccount(account) {
			return r.mistake(r.itemLines["accounts="+account], "accounts holds %q, which is no account: that has twelve digits", account)
		}
	}
	for _, region := range e.regions {
		if _, ok := registry.Of(e.accounts[0], region, "ecr"); !ok {
			return r.mistake(r.itemLines["regions="+region], "regions holds %q, which is no region such as eu-west-1", region)
		}
	}
	return nil
}

func (r *reader) checkPrincipal(e *entry) error {
	p := e.principal
	e.profileLine = r.lines["profile"]
	if p.RoleARN != "" {
		if err := CheckRole(p.RoleARN, e.registry.Public || e.pattern != "" && e.pattern.Account() == ""); err != nil {
			return r.mistake(r.lines["role_arn"], "role_arn %v", err)
		}
	}
	for _, key := range []string{"external_id", "role_session_name", "web_identity_token_file", "web_identity_token_env"} {
		if line, ok := r.lines[key]; ok && p.RoleARN == "" {
			return r.mistake(line, "%s goes with a role_arn, which this [[registry]] lacks", key)
		}
	}
	const name = lower + upper + digits + "_+=,.@-"
	switch file, env := p.WebIdentityTokenFile, p.WebIdentityTokenEnv; {
	case !isMadeOf(p.ExternalID, name+":/"):
		return r.mistake(r.lines["external_id"], "external_id holds something else than letters, digits and _+=,.@:/-")
	case p.RoleSessionName != "" && (!isMadeOf(p.RoleSessionName, name) || len(p.RoleSessionName) < 2 || len(p.RoleSessionName) > 64):
		return r.mistake(r.lines["role_session_name"], "role_session_name is not 2 to 64 letters, digits and _+=,.@-")
	case file != "" && env != "":
		return r.mistake(r.lines["web_identity_token_env"], "web_identity_token_file and web_identity_token_env exclude each other")
	case p.HasWebIdentity() && p.Profile != "":
		return r.mistake(r.lines["profile"], "a web identity token takes the place of credentials; leave out the profile")
	case p.HasWebIdentity() && p.ExternalID != "":
		return r.mistake(r.lines["external_id"], "a role that is assumed with a web identity token takes no external_id")
	case env != "" && (!isMadeOf(env, lower+upper+digits+"_") || isMadeOf(env[:1], digits)):
		return r.mistake(r.lines["web_identity_token_env"], "web_identity_token_env %q is no name of a variable", env)
	case file != "":
		path, err := r.Path(file)
		if err != nil {
			return r.mistake(r.lines["web_identity_token_file"], "web_identity_token_file %v", err)
		}
		e.principal.WebIdentityTokenFile = path
	}
	return nil
}

// CheckRole returns what is wrong with a role. If registries of any account may have it, its account
// can't be left open: whoever asks for a token would choose the role.
func CheckRole(arn string, anyAccount bool) error {
	if anyAccount && strings.Contains(arn, accountInRole) {
		return fmt.Errorf("%q names no account; %s goes with accounts and regions, or a host with its account", arn, accountInRole)
	}
	if !isRoleARN(strings.ReplaceAll(arn, accountInRole, "000000000000")) {
		return fmt.Errorf("%q is no ARN of a role, such as arn:aws:iam::111122223333:role/pull", arn)
	}
	return nil
}
