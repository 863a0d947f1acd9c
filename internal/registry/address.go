package registry

import "strings"

// maxServer is more than a host (253) and a repository path (255) need; nothing
// longer names a registry.
const maxServer = 1024

// Address is what the name of a server tells of where it is, whoever runs it.
type Address struct {
	// Host is in lower case.
	Host string
	// Port is empty where none is given.
	Port string
	// PlainHTTP is set where the name begins with "http://".
	PlainHTTP bool
}

// HostPort is the host, with the port if that isn't https's own.
func (a Address) HostPort() string {
	if a.Port == "" || a.Port == "443" {
		return a.Host
	}
	return a.Host + ":" + a.Port
}

// ParseAddress reads the address of a server in the forms that [Parse] takes. The false answer is
// for what can't be one.
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

// Bare is the name of a server as a message may show it: without what may be in front of the
// host, a user and a password, or behind the path, a query.
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

// cutScheme cuts a scheme, which it returns in lower case.
func cutScheme(s string) (scheme, rest string) {
	for _, scheme := range []string{"https://", "http://", "oci://", "docker://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return scheme, s[len(scheme):]
		}
	}
	return "", s
}

// isNotPrintableASCII also keeps out the letters that only become ASCII when
// their case is folded, such as the Kelvin sign.
func isNotPrintableASCII(c rune) bool { return c <= ' ' || c >= 0x7f }

func isPort(s string) bool { return len(s) <= len("65535") && isDigits(s) }
