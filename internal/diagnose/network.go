package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"docker-credential-ecr-login/internal/failure"
)

const fipsHint = "FIPS endpoints exist in some regions alone: take AWS_USE_FIPS_ENDPOINT or use_fips_endpoint away, or name the registry by its host without -fips"

// networkTable explains what kept AWS from being asked, or from answering.
var networkTable = []row{
	{proxyStatus(407, 407), failure.Unavailable, "{proxy} to a connection to {host}",
		"put the proxy's user and password into HTTPS_PROXY"},
	// What a proxy answers for a name that nobody knows.
	{all(proxyStatus(500, 999), isFIPS), failure.Unavailable, "{proxy} to a connection to {host}", fipsHint},
	{proxyStatus(500, 999), failure.Unavailable, "{proxy} to a connection to {host}",
		"see whether the region is right and the proxy reaches that host"},
	{isA[*ProxyError], failure.Unavailable, "{proxy} to a connection to {host}",
		"see HTTPS_PROXY and NO_PROXY, and whether the proxy allows that host"},
	{isA[x509.UnknownAuthorityError], failure.Unavailable,
		"the certificate of {host} is signed by an authority that isn't trusted here",
		"put CA certificates into the image, or set AWS_CA_BUNDLE to your proxy's"},
	{isA[x509.HostnameError], failure.Unavailable, "the certificate that {host} shows is not its own",
		"see whether a proxy or portal answers in its place"},
	{isExpiredCertificate, failure.Unavailable,
		"the certificate of {host} can't be used: it has expired or isn't valid yet",
		"see whether the clock is right"},
	{isA[x509.CertificateInvalidError], failure.Unavailable,
		"the certificate of {host} can't be used: it isn't valid for this use",
		"see whether the clock is right"},
	{isNotTLS, failure.Unavailable, "{host} does not speak TLS as AWS does",
		"see whether a proxy answers in its place, or the endpoint ought to begin with http://"},
	{isToProxy, failure.Unavailable, "the proxy can't be reached for {host}: {why}", "see HTTPS_PROXY"},
	{all(isUnknownName, isFIPS), failure.Unavailable, "the name {name} can't be resolved", fipsHint},
	{isUnknownName, failure.Unavailable, "the name {name} can't be resolved",
		"see whether the region is right and DNS works"},
	{all(isTimeout, noRequest), failure.Timeout, "there was no time left to ask AWS",
		"AWS_ECR_TIMEOUT sets another time"},
	{all(isTimeout, status(0)), failure.Timeout, "{host} gave no answer in time",
		"see whether a firewall or proxy is in the way; AWS_ECR_TIMEOUT sets another time"},
	{all(isTimeout, code("")), failure.Timeout,
		"{host} answered {status} until there was no time left", "try again"},
	{isTimeout, failure.Timeout, "{host} answered {status} ({code}) until there was no time left", "try again"},
	{isConnection, failure.Unavailable, "the connection to {host} failed: {why}",
		"see whether a firewall or proxy is in the way"},
}

// network explains what kept AWS from being asked, or from answering.
func (c cause) network() *failure.Failure { return c.find(networkTable) }

// proxy returns the proxy's refusal, without a status if there is none.
func (c cause) proxy() *ProxyError {
	if refusal, ok := errors.AsType[*ProxyError](c.err); ok {
		return refusal
	}
	return &ProxyError{}
}

func proxyStatus(from, to int) condition {
	return func(c cause) bool { return from <= c.proxy().Status && c.proxy().Status <= to }
}

func isFIPS(c cause) bool { return strings.Contains(c.Last.Host, "-fips.") }

func isExpiredCertificate(c cause) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](c.err)
	return ok && invalid.Reason == x509.Expired
}

func isNotTLS(c cause) bool {
	return isA[tls.RecordHeaderError](c) || isA[tls.AlertError](c) || errors.Is(c.err, http.ErrSchemeMismatch)
}

func isToProxy(c cause) bool {
	dial, ok := errors.AsType[*net.OpError](c.err)
	return ok && dial.Op == "proxyconnect"
}

// unknownName returns the name that DNS doesn't know, if that is the cause.
func (c cause) unknownName() string {
	if dns, ok := errors.AsType[*net.DNSError](c.err); ok && !dns.IsTimeout {
		return dns.Name
	}
	return ""
}

func isUnknownName(c cause) bool { return c.unknownName() != "" }

func isTimeout(c cause) bool {
	timeout, ok := errors.AsType[net.Error](c.err)
	return errors.Is(c.err, context.DeadlineExceeded) || errors.Is(c.err, context.Canceled) ||
		errors.Is(c.err, os.ErrDeadlineExceeded) || ok && timeout.Timeout()
}

func isConnection(c cause) bool {
	return isA[*net.OpError](c) || isA[*os.SyscallError](c) || errors.Is(c.err, net.ErrClosed) ||
		errors.Is(c.err, io.EOF) || errors.Is(c.err, io.ErrUnexpectedEOF)
}

// connectionProblem returns the system's words, which hold no address with a password.
func (c cause) connectionProblem() string {
	if call, ok := errors.AsType[*os.SyscallError](c.err); ok {
		return call.Err.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](c.err); ok {
		return "the name " + dns.Name + " can't be resolved"
	}
	return "it was closed"
}
