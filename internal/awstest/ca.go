package awstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// A certificateAuthority signs certificates for the hosts behind the proxy. They share one key and
// differ in the name.
type certificateAuthority struct {
	pem  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf *ecdsa.PrivateKey

	mu     sync.Mutex
	issued map[string]*tls.Certificate // by host
	modify func(*x509.Certificate)
}

// ModifyCertificates makes a function change all certificates before they are signed, from now on.
// With nil, certificates are valid again.
func (srv *Server) ModifyCertificates(modify func(*x509.Certificate)) {
	srv.ca.mu.Lock()
	defer srv.ca.mu.Unlock()
	srv.ca.modify = modify
	srv.ca.issued = map[string]*tls.Certificate{}
}

func newCertificateAuthority() (*certificateAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("stand-in CA: %w", err)
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("stand-in CA: %w", err)
	}
	template := certificateTemplate("stand-in for AWS")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("stand-in CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("stand-in CA: %w", err)
	}
	return &certificateAuthority{
		pem:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		cert:   cert,
		key:    key,
		leaf:   leaf,
		issued: map[string]*tls.Certificate{},
	}, nil
}

// issue returns the certificate of host.
func (ca *certificateAuthority) issue(host string) (*tls.Certificate, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if c, ok := ca.issued[host]; ok {
		return c, nil
	}
	template := certificateTemplate(host)
	template.DNSNames = []string{host}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if ca.modify != nil {
		ca.modify(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, ca.leaf.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", host, err)
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: ca.leaf}
	ca.issued[host] = c
	return c, nil
}

// certificateTemplate returns what all certificates have in common.
func certificateTemplate(name string) *x509.Certificate {
	serial := make([]byte, 16)
	rand.Read(serial)
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
	}
}
