package awsapi

import (
	"crypto/x509"
	"iter"
	"os"
	"runtime"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"docker-credential-ecr-login/internal/config"
)

// systemBundles are files in which systems keep all their CA certificates. One that exists
// spares reading them, which takes half the time of a cold get. A system whose file isn't listed
// here spends that time and no more.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // SUSE
}

// mozillaRoots returns Mozilla's CA certificates for a system that has none, such as an image made
// from scratch. It returns nil for all others: there Go's are trusted, or those that the user has
// named, even if they turn out to be none.
func mozillaRoots(env config.Env) *x509.CertPool {
	if runtime.GOOS != "linux" {
		return nil // the system itself verifies
	}
	if _, file := namedCertificates(env); file != "" {
		return nil
	}
	for _, file := range systemBundles {
		// A missing file that was to be mounted is an empty directory.
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return nil
		}
	}
	if system, err := x509.SystemCertPool(); err != nil || !system.Equal(x509.NewCertPool()) {
		return nil
	}
	return poolOf(bundle.Roots())
}

// namedCertificates returns the variable that names CA certificates, and its value.
func namedCertificates(env config.Env) (name, value string) {
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value := env.Get(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// poolOf returns a pool of CA certificates, some of which are trusted for a part of what they have
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
