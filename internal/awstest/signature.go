package awstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	// amzDate is the layout of the X-Amz-Date header.
	amzDate = "20060102T150405Z"
	// maxClockSkew is how much a signature's time may differ from the service's clock.
	maxClockSkew = 5 * time.Minute
)

// A signature is the parsed Authorization header of a signed request.
type signature struct {
	keyID, date, region, service string
	headers                      []string
	hex                          string
}

func parseSignature(header string) (signature, bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return signature{}, false
	}
	field := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		field[name] = value
	}
	scope := strings.Split(field["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" || field["SignedHeaders"] == "" {
		return signature{}, false
	}
	return signature{
		keyID:   scope[0],
		date:    scope[1],
		region:  scope[2],
		service: scope[3],
		headers: strings.Split(field["SignedHeaders"], ";"),
		hex:     field["Signature"],
	}, true
}

// authenticate returns the principal that signed a call, or why the signature isn't valid.
func (srv *Server) authenticate(q *call) (identity, *denial) {
	header := q.Header.Get("Authorization")
	if header == "" {
		return identity{}, &denial{"MissingAuthenticationToken", "Request is missing Authentication Token"}
	}
	sig, ok := parseSignature(header)
	at, err := time.Parse(amzDate, q.Header.Get("X-Amz-Date"))
	if !ok || err != nil {
		return identity{}, &denial{"IncompleteSignature", "Authorization header or X-Amz-Date is malformed."}
	}
	if denied := sig.checkScope(q); denied != nil {
		return identity{}, denied
	}
	who, ok := srv.principals.find(sig.keyID)
	if !ok || q.Header.Get("X-Amz-Security-Token") != who.token || !q.endpoint.knows(who.arn) {
		return identity{}, &denial{"InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	now := srv.now()
	if denied := checkTime(at, now); denied != nil {
		return identity{}, denied
	}
	if !sig.matches(q, who.secret, at) {
		return identity{}, &denial{"SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	if who.expired(now) {
		return identity{}, &denial{"ExpiredToken", "The security token included in the request is expired"}
	}
	return who, nil
}

// checkScope checks that the signature is for the service, and for the region of the host.
func (s signature) checkScope(q *call) *denial {
	if s.service != q.service {
		return &denial{"SignatureDoesNotMatch", fmt.Sprintf("Credential should be scoped to correct service: '%s'.", q.service)}
	}
	if q.endpoint.region != "" && s.region != q.endpoint.region {
		return &denial{"SignatureDoesNotMatch", fmt.Sprintf("Credential should be scoped to a valid region, not '%s'.", s.region)}
	}
	if !strings.HasPrefix(q.Header.Get("X-Amz-Date"), s.date+"T") {
		return &denial{"SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."}
	}
	return nil
}

// checkTime checks the time of a signature.
func checkTime(at, now time.Time) *denial {
	now = now.UTC()
	if early := now.Add(-maxClockSkew); at.Before(early.Truncate(time.Second)) {
		return &denial{"SignatureDoesNotMatch", fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format(amzDate), early.Format(amzDate), now.Format(amzDate))}
	}
	if late := now.Add(maxClockSkew); at.After(late) {
		return &denial{"SignatureDoesNotMatch", fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			at.Format(amzDate), late.Format(amzDate), now.Format(amzDate))}
	}
	return nil
}

// matches signs the call again, with the headers that the client has signed, and compares.
func (s signature) matches(q *call, secret string, at time.Time) bool {
	url := *q.URL // the signer rewrites the query
	again := &http.Request{Method: q.Method, URL: &url, Host: q.Host, Header: http.Header{}}
	for _, name := range s.headers {
		switch name {
		case "host": // always signed
		case "content-length":
			again.ContentLength = q.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = q.Header.Values(name)
		}
	}
	sum := sha256.Sum256(q.body)
	// A new signer each time: its cache of derived keys would not notice that the secret of a key
	// has changed. The session token is among the headers.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableSessionToken = true })
	err := signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.keyID, SecretAccessKey: secret},
		again, hex.EncodeToString(sum[:]), s.service, s.region, at)
	if err != nil {
		return false
	}
	own, ok := parseSignature(again.Header.Get("Authorization"))
	return ok && own.hex == s.hex
}
