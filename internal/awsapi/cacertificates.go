package awsapi

import (
	"crypto/x509"
	"iter"
	"os"
	"runtime"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"docker-credential-ecr-login/internal/config"
)

// loadRoots has the system's authorities read while nobody needs them yet. That is
// half the work of a cold get, and net/http begins with it in the middle of the first
// handshake.
func (c *chain) loadRoots() {
	if c.request.Env.Get("AWS_CA_BUNDLE") == "" {
		go x509.SystemCertPool() // they are kept, once read
	}
}

// rootFiles are where systems keep all their authorities in one file. One that is
// there spares a look at what Go finds, which takes half as long as a cold get. One
// that isn't named here costs that time and no more.
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // SUSE
}

// ownRoots are authorities of our own, those of Mozilla, for a system that has none,
// as an image made from scratch. It is nil for all others: there Go's are trusted, or
// those that the user has named, even if they turn out to be none.
func ownRoots(env config.Env) *x509.CertPool {
	if runtime.GOOS != "linux" {
		return nil // the system itself verifies
	}
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if env.Get(name) != "" {
			return nil
		}
	}
	for _, file := range rootFiles {
		// One that isn't there, but was to be mounted, is an empty directory.
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return nil
		}
	}
	if system, err := x509.SystemCertPool(); err != nil || !system.Equal(x509.NewCertPool()) {
		return nil
	}
	return poolOf(bundle.Roots())
}

// poolOf is a pool of authorities, some of which are trusted for a part of what they have
// signed.
func poolOf(roots iter.Seq[bundle.Root]) *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range roots {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // the others serve
		}
		if root.Constraint == nil {
			pool.AddCert(cert)
		} else {
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return pool
}
