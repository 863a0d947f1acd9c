package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"docker-credential-ecr-login/cache"
)

// ofNetwork tells of what kept AWS from being asked, or from answering.
func (c *chain) ofNetwork(err error) *cache.Failure {
	last, _ := c.requests.lastCall()
	var (
		proxy     *proxyError
		dns       *net.DNSError
		dial      *net.OpError
		unknownCA x509.UnknownAuthorityError
		wrongName x509.HostnameError
		badCert   x509.CertificateInvalidError
		notTLS    tls.RecordHeaderError
		alert     tls.AlertError
	)
	f := &cache.Failure{Kind: cache.Unavailable}
	switch {
	case errors.As(err, &proxy):
		f.Reason = fmt.Sprintf("%v to a connection to %s", proxy, last.host)
		f.Hint = "see HTTPS_PROXY and NO_PROXY, and whether the proxy allows that host"
		switch {
		case proxy.status == http.StatusProxyAuthRequired:
			f.Hint = "put the proxy's user and password into HTTPS_PROXY"
		case proxy.status >= 500: // what a proxy says of a name that nobody knows
			f.Hint = regionProxyHint
		}
	case errors.As(err, &unknownCA):
		f.Reason = fmt.Sprintf("the certificate of %s is signed by an authority that isn't trusted here", last.host)
		f.Hint = "put CA certificates into the image, or set AWS_CA_BUNDLE to your proxy's"
	case errors.As(err, &wrongName):
		f.Reason = fmt.Sprintf("the certificate that %s shows is not its own", last.host)
		f.Hint = "see whether a proxy or portal answers in its place"
	case errors.As(err, &badCert):
		f.Reason = fmt.Sprintf("the certificate of %s can't be used: %s", last.host, certificateProblem(badCert))
		f.Hint = "see whether the clock is right"
	case errors.As(err, &notTLS), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		f.Reason = fmt.Sprintf("%s does not speak TLS as AWS does", last.host)
		f.Hint = "see whether a proxy answers in its place, or the endpoint ought to begin with http://"
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		f.Reason = fmt.Sprintf("the proxy can't be reached for %s: %s", last.host, cause(err))
		f.Hint = "see HTTPS_PROXY"
	case errors.As(err, &dns) && !dns.IsTimeout:
		f.Reason = fmt.Sprintf("the name %s can't be resolved", dns.Name)
		f.Hint = regionHint
	case isTimeout(err):
		f.Kind = cache.Timeout
		f.Reason = fmt.Sprintf("%s gave no answer in time", last.host)
		f.Hint = "see whether a firewall or proxy is in the way; AWS_ECR_TIMEOUT sets another time"
		if last.status != 0 {
			f.Reason = fmt.Sprintf("%s answered %d until there was no time left", last.host, last.status)
			if last.code != "" {
				f.Reason = fmt.Sprintf("%s answered %d (%s) until there was no time left", last.host, last.status, last.code)
			}
			f.Hint = "try again"
		}
		if last.host == "" {
			f.Reason = "there was no time left to ask AWS"
			f.Hint = "AWS_ECR_TIMEOUT sets another time"
		}
	case errors.As(err, &dial), isReset(err):
		f.Reason = fmt.Sprintf("the connection to %s failed: %s", last.host, cause(err))
		f.Hint = "see whether a firewall or proxy is in the way"
	default:
		return nil
	}
	if strings.Contains(last.host, "-fips.") && (f.Hint == regionHint || f.Hint == regionProxyHint) {
		f.Hint = "FIPS endpoints exist in some regions alone: take AWS_USE_FIPS_ENDPOINT or use_fips_endpoint away, or name the registry by its host without -fips"
	}
	return f
}

const (
	regionHint      = "see whether the region is right and DNS works"
	regionProxyHint = "see whether the region is right and the proxy reaches that host"
)

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func isReset(err error) bool {
	var call *os.SyscallError
	return errors.As(err, &call) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// cause is the system's word for it, which holds no address with a password.
func cause(err error) string {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err.Error()
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "the name " + dns.Name + " can't be resolved"
	}
	return "it was closed"
}

func certificateProblem(e x509.CertificateInvalidError) string {
	if e.Reason == x509.Expired {
		return "it has expired or isn't valid yet"
	}
	return "it isn't valid for this use"
}
