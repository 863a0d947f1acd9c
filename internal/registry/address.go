package registry

import "strings"

// maxServer is more than a host (253) and a repository path (255) need.
const maxServer = 1024

// Address is the address of a server, which need not be ECR.
type Address struct {
	// Host is in lower case.
	Host string
	// Port is empty if none is given.
	Port string
	// PlainHTTP is set if the name begins with "http://".
	PlainHTTP bool
}

// HostPort returns the host, with the port if that isn't 443.
func (a Address) HostPort() string {
	if a.Port == "" || a.Port == "443" {
		return a.Host
	}
	return a.Host + ":" + a.Port
}

// ParseAddress returns the address of a server in the forms that [Parse] takes. It returns false for
// what can't be one.
func ParseAddress(server string) (Address, bool) {
	server = strings.TrimSpace(server)
	if len(server) > maxServer || strings.ContainsFunc(server, isNotPrintableASCII) {
		return Address{}, false
	}
	scheme, server := cutScheme(server)
	host, path, _ := strings.Cut(server, "/")
	if strings.Contains(path, "://") {
		return Address{}, false
	}
	host, port, hasPort := strings.Cut(host, ":")
	if host == "" || hasPort && !isPort(port) {
		return Address{}, false
	}
	return Address{Host: strings.ToLower(host), Port: port, PlainHTTP: scheme == "http://"}, true
}

// Bare returns the name of a server without user, password and query, which a message must not
// print.
func Bare(server string) string {
	if i := strings.IndexAny(server, "?#"); i >= 0 {
		server = server[:i]
	}
	scheme := ""
	if i := strings.Index(server, "://"); i >= 0 {
		scheme, server = server[:i+3], server[i+3:]
	}
	host, path, _ := strings.Cut(server, "/")
	if path != "" {
		path = "/" + path
	}
	return scheme + host[strings.LastIndexByte(host, '@')+1:] + path
}

// cutScheme returns the scheme, in lower case, and the rest.
func cutScheme(s string) (scheme, rest string) {
	for _, scheme := range []string{"https://", "http://", "oci://", "docker://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return scheme, s[len(scheme):]
		}
	}
	return "", s
}

// isNotPrintableASCII is true, too, for letters that become ASCII only when their case is folded,
// such as the Kelvin sign.
func isNotPrintableASCII(c rune) bool { return c <= ' ' || c >= 0x7f }

func isPort(s string) bool { return len(s) <= len("65535") && isDigits(s) }
