package fetch

import (
	"crypto/x509"
	"strings"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// AWS's certificates go back to Amazon's own authorities, and those before them to
// Starfield's (https://www.amazontrust.com/repository/). That the binary trusts
// them on a system without any is shown by the clients' tests, in an image made from
// scratch.
func TestMozillaRoots(t *testing.T) {
	roots := mozillaRoots()
	amazon := 0
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(cert.Subject.String(), "Amazon Root CA") {
			continue
		}
		amazon++
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
			t.Errorf("%s: %v", cert.Subject, err)
		}
	}
	if amazon < 4 {
		t.Errorf("%d authorities of Amazon's, want the 4 there are", amazon)
	}
}
