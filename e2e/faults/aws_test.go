package faults

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// maxRequests is how many requests of one action a get may make, whatever the response: the SDK
// tries three times.
const maxRequests = 3

// responseOf returns a response of ECR with a token and an expiry as JSON values, which may be
// invalid. A nil expiry is omitted.
func responseOf(token string, expires any) []byte {
	data := `{"authorizationToken":` + token + `,"proxyEndpoint":"https://` + testenv.Host + `"`
	if expires != nil {
		data += fmt.Sprintf(`,"expiresAt":%v`, expires)
	}
	return []byte(`{"authorizationData":[` + data + `}]}`)
}

// encoded returns a text in base64, as a JSON string.
func encoded(text string) string {
	return strconv.Quote(base64.StdEncoding.EncodeToString([]byte(text)))
}

// Whatever AWS or a server in its place responds, a get ends in time, with one line on stderr or
// with a valid token.
func TestResponses(t *testing.T) {
	soon := time.Now().Add(12 * time.Hour).Unix()
	status := func(code int, name string, header http.Header) awstest.Fault {
		return awstest.Fault{Status: code, Code: name, Message: "a message of the test", Header: header}
	}
	body := func(text string) awstest.Fault { return awstest.Fault{Body: []byte(text)} }
	for name, fault := range map[string]awstest.Fault{
		"400":                             status(400, "InvalidParameterException", nil),
		"401":                             status(401, "UnrecognizedClientException", nil),
		"403":                             status(403, "AccessDeniedException", nil),
		"404":                             status(404, "", nil),
		"405":                             {Status: 405, Body: []byte("not allowed")},
		"429":                             status(429, "TooManyRequestsException", nil),
		"500":                             status(500, "ServerException", nil),
		"502":                             {Status: 502, Body: []byte("<html>bad gateway</html>")},
		"503":                             status(503, "ServiceUnavailable", nil),
		"504, no body":                    {Status: 504, Body: []byte{}},
		"throttling":                      status(400, "ThrottlingException", nil),
		"throttling, retry later":         status(400, "ThrottlingException", http.Header{"Retry-After": {"3600"}}),
		"throttling, retry on a day":      status(429, "ThrottlingException", http.Header{"Retry-After": {"Wed, 21 Oct 2099 07:28:00 GMT"}, "X-Amz-Retry-After": {"3600000"}}),
		"an error that isn't JSON":        {Status: 400, Body: []byte("}{")},
		"an error of many lines":          status(400, "Strange\nException", http.Header{"X-Amzn-Errortype": {"a"}}),
		"an error that paints":            status(400, "Red\x1b[31m\u202e", nil),
		"a message that paints":           {Status: 400, Body: []byte(`{"__type":"InvalidParameterException","message":"\u001b]0;x\u0007\u001b[2J\u202eevil\u2028\u0000\r\n` + strings.Repeat("long ", 1000) + `"}`)},
		"nothing":                         {Status: 200, Body: []byte{}},
		"no content":                      {Status: 204, Body: []byte{}},
		"partial content":                 {Status: 206, Body: []byte("{")},
		"null":                            body("null"),
		"an empty object":                 body("{}"),
		"an array":                        body("[]"),
		"a number":                        body("17"),
		"an empty list":                   body(`{"authorizationData":[]}`),
		"no list":                         body(`{"authorizationData":null}`),
		"a list of nothing":               body(`{"authorizationData":[null]}`),
		"a list of numbers":               body(`{"authorizationData":[1]}`),
		"truncated JSON":                  body(`{"authorizationData":[{"authorizationToken":"QVdT`),
		"a portal's page":                 {Body: []byte("<!DOCTYPE html><title>Welcome</title>"), Header: http.Header{"Content-Type": {"text/html"}}},
		"a portal's redirect":             {Status: 302, Body: []byte("moved"), Header: http.Header{"Location": {"https://portal.example.com/login"}}},
		"a redirect that asks again":      {Status: 307, Body: []byte("moved"), Header: http.Header{"Location": {"https://api.ecr.ap-south-1.amazonaws.com/"}}},
		"a redirect to a file":            {Status: 308, Body: []byte("moved"), Header: http.Header{"Location": {"file:///etc/passwd"}}},
		"a redirect to the metadata":      {Status: 301, Body: []byte("moved"), Header: http.Header{"Location": {"http://169.254.169.254/"}}},
		"64 MB":                           {Body: bytes.Repeat([]byte("x"), 64<<20)},
		"a token of 8 MB":                 {Body: responseOf(encoded("AWS:"+strings.Repeat("x", 8<<20)), soon)},
		"a deep body":                     {Body: bytes.Repeat([]byte("["), 1<<20)},
		"a wrong type, and no token":      {Body: []byte("{}"), Header: http.Header{"Content-Type": {"image/png"}}},
		"a wrong encoding":                {Body: []byte("{}"), Header: http.Header{"Content-Encoding": {"gzip"}}},
		"a token that isn't base64":       {Body: responseOf(`"%%%"`, soon)},
		"a token without a colon":         {Body: responseOf(encoded("AWS"), soon)},
		"a token of somebody else":        {Body: responseOf(encoded("root:secret"), soon)},
		"a token without a password":      {Body: responseOf(encoded("AWS:"), soon)},
		"a token of two lines":            {Body: responseOf(encoded("AWS:one\ntwo"), soon)},
		"a token with a NUL":              {Body: responseOf(encoded("AWS:one\x00two"), soon)},
		"an empty token":                  {Body: responseOf(`""`, soon)},
		"no token":                        {Body: responseOf("null", soon)},
		"a number for a token":            {Body: responseOf("17", soon)},
		"an expiry in the past":           {Body: responseOf(encoded("AWS:old"), 1000000000)},
		"an expiry of zero":               {Body: responseOf(encoded("AWS:old"), 0)},
		"an expiry before that":           {Body: responseOf(encoded("AWS:old"), -1)},
		"an expiry that is text":          {Body: responseOf(encoded("AWS:old"), `"tomorrow"`)},
		"an expiry past all numbers":      {Body: responseOf(encoded("AWS:old"), "1e999")},
		"a slow drip":                     {Drip: 100 * time.Millisecond},
		"a body that ends in the middle":  {Cut: true},
		"a reset":                         {Reset: true},
		"a reset in the middle of a body": {Body: []byte(`{"authorizationData":[]}`), Cut: true},
		"silence":                         {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, f := testenv.WithKeys(t), testenv.NewFault(t)
			env.Set("AWS_ECR_TIMEOUT=10s")
			env.AWS.Fail("ecr:GetAuthorizationToken", fault)
			r := env.Run(t, "get", testenv.Host)
			n := env.AWS.Count("ecr:GetAuthorizationToken")
			switch {
			case r.Status == 0:
				f.Count(t, r, fmt.Errorf("it takes that for a token"))
			case n > maxRequests:
				f.Count(t, r, fmt.Errorf("%d requests", n))
			case r.Took > 40*time.Second: // on a busy machine
				f.Count(t, r, fmt.Errorf("the timeout is 10 s"))
			default:
				f.Check(t, env, r, testenv.UserARN)
			}
			if connects := env.AWS.Connects(); len(connects) > 0 {
				for _, to := range connects {
					if to != "api.ecr.ap-south-1.amazonaws.com" {
						f.Errorf(t, "it goes to %s", to)
					}
				}
			}
			env.AWS.Heal("ecr:GetAuthorizationToken")
			f.MustGet(t, env, testenv.UserARN)
		})
	}
}

// The same for the services that are called before ECR, and for the connections to them.
func TestPathToAWS(t *testing.T) {
	page := awstest.Fault{Body: []byte("<html>Welcome</html>"), Header: http.Header{"Content-Type": {"text/html"}}}
	for name, fault := range map[string]awstest.Fault{
		"a page": page, "500": {Status: 500, Code: "InternalFailure"}, "429": {Status: 429, Code: "Throttling"}, "a reset": {Reset: true},
		"silence": {Hang: true}, "a drip": {Drip: 50 * time.Millisecond}, "half": {Cut: true}, "nothing": {Status: 200, Body: []byte{}},
		"8 MB": {Body: bytes.Repeat([]byte("x"), 8<<20)}, "null": {Body: []byte("null")},
	} {
		for _, action := range []string{"sts:AssumeRole", "imds:token", "imds:roles", "imds:credentials"} {
			t.Run(action+"/"+name, func(t *testing.T) {
				t.Parallel()
				env, f := testenv.OnInstance(t), testenv.NewFault(t)
				env.Set("AWS_ECR_TIMEOUT=3s")
				env.AWS.Fail(action, fault)
				f.Check(t, env, env.Run(t, "get", testenv.Host), "assumed-role/pull/")
				if n := env.AWS.Count(action); n > 2*maxRequests {
					f.Errorf(t, "%d requests", n)
				}
				env.AWS.Heal(action)
				f.MustGet(t, env, "assumed-role/pull/")
			})
		}
	}
}

func TestCertificates(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*x509.Certificate)
		want  string
	}{
		"another's name": {func(c *x509.Certificate) { c.DNSNames = []string{"portal.example.com"} }, "isn't its own"},
		"no name":        {func(c *x509.Certificate) { c.DNSNames = nil }, "isn't its own"},
		"expired":        {func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, "can't be used"},
		"not yet valid":  {func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, "can't be used"},
		"for clients":    {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "can't be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.AWS.ModifyCertificates(c.spoil)
			r := env.Run(t, "get", testenv.Host)
			fault.Check(t, env, r, testenv.UserARN)
			if r.Status == 0 || !strings.Contains(strings.ReplaceAll(r.Stderr, "is not its own", "isn't its own"), c.want) {
				t.Errorf("status %d, stderr %q; want %q", r.Status, r.Stderr, c.want)
			}
			env.AWS.ModifyCertificates(nil)
			fault.MustGet(t, env, testenv.UserARN)
		})
	}
}

// A proxy requires a password, refuses connections to AWS, or doesn't answer.
func TestProxies(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	testenv.Must(t, err)
	defer silent.Close()
	for name, spoil := range map[string]func(server *awstest.Server) (proxy string){
		"a password":    func(c *awstest.Server) string { c.RequireProxyAuth("me", "x"); return c.ProxyURL() },
		"silence":       func(*awstest.Server) string { return "http://" + silent.Addr().String() },
		"nobody":        func(*awstest.Server) string { return "http://127.0.0.1:1" },
		"no proxy":      func(c *awstest.Server) string { return c.EndpointURL() },
		"TLS, and none": func(c *awstest.Server) string { return strings.Replace(c.ProxyURL(), "http:", "https:", 1) },
		"no URL":        func(*awstest.Server) string { return "://" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			old := env.AWS.ProxyURL()
			env.Set("HTTPS_PROXY="+spoil(env.AWS), "AWS_ECR_TIMEOUT=10s")
			r := env.Run(t, "get", testenv.Host)
			fault.Check(t, env, r, testenv.UserARN)
			if r.Status == 0 || r.Took > 40*time.Second {
				t.Errorf("status %d, after %v", r.Status, r.Took)
			}
			env.AWS.RequireProxyAuth("", "")
			env.Set("HTTPS_PROXY=" + old)
			fault.MustGet(t, env, testenv.UserARN)
		})
	}
}
