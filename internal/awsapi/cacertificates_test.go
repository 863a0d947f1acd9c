package awsapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// AWS's certificates go back to Amazon's own CA certificates
// (https://www.amazontrust.com/repository/). That the binary trusts what is in the
// bundle, on a system without any, is shown by the clients' tests.
func TestMozillaRoots(t *testing.T) {
	roots := poolOf(bundle.Roots())
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
		t.Errorf("%d CA certificates of Amazon's, want the 4 there are", amazon)
	}
}

// Of a CA certificate that is trusted in part, the other part isn't.
func TestConstrainedRoots(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(template, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber, template.NotAfter = big.NewInt(1), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true}
	ca := sign(template, template)
	leaf := sign(&x509.Certificate{Subject: pkix.Name{CommonName: "host"}}, ca)
	for _, constraint := range []error{nil, errors.New("not this one")} {
		roots := poolOf(func(yield func(bundle.Root) bool) {
			yield(bundle.Root{Certificate: ca.Raw, Constraint: func([]*x509.Certificate) error { return constraint }})
		})
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if (err == nil) != (constraint == nil) {
			t.Errorf("constraint %v: %v", constraint, err)
		}
	}
}
