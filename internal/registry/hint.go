package registry

import (
	"fmt"
	"strings"

	"docker-credential-ecr-login/internal/suggest"
)

// Hint returns why a server whose name looks like that of an ECR registry isn't one, such as
// "an account has 12 digits, and 11111111111 has 11". It is empty for registries and for names that
// don't look like one.
func Hint(server string) string {
	address, ok := ParseAddress(server)
	if _, isRegistry := parseHost(address.Host); !ok || isRegistry {
		return ""
	}
	host := address.Host
	if near := suggest.Word(host, []string{publicHost, publicDualStackHost}); near != "" && suggest.Distance(host, near) <= 3 {
		return "did you mean " + near + "?"
	}
	account, rest, _ := strings.Cut(host, ".")
	isAWS := strings.Contains(host, "amazonaw") || strings.Contains(host, "amazonweb")
	if !strings.Contains(host, "ecr") && !strings.Contains(host, "dkr") || !isAWS && !isDigits(account) {
		return ""
	}
	region := ""
	for label := range strings.SplitSeq(rest, ".") {
		if isRegion(label) {
			region = label
		}
	}
	switch {
	case isDigits(account) && len(account) != accountDigits:
		return fmt.Sprintf("an account has %d digits, and %s has %d", accountDigits, account, len(account))
	case !IsAccount(account):
		return "a private registry's host begins with an account of 12 digits, such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com"
	case region == "":
		return fmt.Sprintf("it names no region, as %s.dkr.ecr.eu-west-1.amazonaws.com does", account)
	}
	var hosts []string
	for _, r := range variants {
		r.Account, r.Region = account, region
		if _, ok := parseHost(r.Host()); ok {
			hosts = append(hosts, r.Host())
		}
	}
	if near := suggest.Word(host, hosts); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
