package awstest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody bounds what is read of a request.
const maxBody = 1 << 20

// A call is a request being served.
type call struct {
	*http.Request
	endpoint      endpoint
	body    []byte
	form    url.Values
	action  string
	service string // the part of action before the colon
	entry   *Request
}

// serve records a request under the action that name gives it, lets it wait
// or go wrong as it was told to, and else answers with do.
func (c *Server) serve(w http.ResponseWriter, r *http.Request, at endpoint, name func(*call) string, do func(*call) response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	q := &call{Request: r, endpoint: at, body: body}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		q.form, _ = url.ParseQuery(string(body)) // what does not parse asks for no action
	}
	q.action = name(q)
	q.service, _, _ = strings.Cut(q.action, ":")
	sig, _ := parseSignature(r.Header.Get("Authorization"))
	host := at.host
	if host == "" {
		host = r.Host
	}
	q.entry = c.log.add(Request{
		Action:     q.action,
		Host:       host,
		Path:       r.URL.Path,
		Region:     sig.region,
		TargetRole: q.form.Get("RoleArn"),
	})

	if !c.pause(r.Context(), time.Duration(c.latency.Load())) {
		panic(http.ErrAbortHandler)
	}
	fault, _ := c.faults.take(q.action)
	if !c.pause(r.Context(), fault.Delay) {
		panic(http.ErrAbortHandler)
	}
	if fault.Hang {
		c.hang(r.Context())
		panic(http.ErrAbortHandler)
	}
	if fault.Reset {
		reset(w)
		return
	}
	if fault.Repeat {
		fault.Message += " " + r.Header.Get("X-Amz-Security-Token")
	}
	a, wrong := fault.response(q.service)
	switch {
	case wrong:
	case c.quotas.exceeded(q.action, c.now()):
		a = throttledResponse(q.service)
	default:
		a = do(q)
	}
	c.log.update(q.entry, func(e *Request) { e.Status = a.status })
	if fault.Drip > 0 || fault.Cut {
		c.writeFaulty(w, r, a, fault)
		return
	}
	a.write(w, c.now())
}

// services serves the APIs of AWS at a place.
func (c *Server) services(at endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.serve(w, r, at, action, c.respond)
	})
}

const unknownAction = "unknown"

var targets = map[string]string{
	"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": "ecr:GetAuthorizationToken",
	"SpencerFrontendService.GetAuthorizationToken":               "ecr-public:GetAuthorizationToken",
}

var paths = map[string]string{
	"GET /federation/credentials": "sso:GetRoleCredentials",
	"POST /token":                 "sso-oidc:CreateToken",
	"POST /v1/token":              "signin:CreateOAuth2Token",
}

// action tells what a call asks for, by the request itself.
func action(q *call) string {
	name := targets[q.Header.Get("X-Amz-Target")]
	if name == "" {
		name = paths[q.Method+" "+q.URL.Path]
	}
	switch sts := q.form.Get("Action"); sts {
	case "AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity":
		name = "sts:" + sts
	}
	service, _, _ := strings.Cut(name, ":")
	if name == "" || q.endpoint.service != "" && q.endpoint.service != service {
		return unknownAction
	}
	return name
}

func (c *Server) respond(q *call) response {
	switch q.action {
	case "sts:AssumeRole":
		return c.signed(q, c.assumeRole)
	case "sts:AssumeRoleWithWebIdentity":
		return c.assumeRoleWithWebIdentity(q)
	case "sts:GetCallerIdentity":
		return c.signed(q, c.callerIdentity)
	case "ecr:GetAuthorizationToken":
		return c.signed(q, c.authorizationToken)
	case "ecr-public:GetAuthorizationToken":
		return c.signed(q, c.publicAuthorizationToken)
	case "sso:GetRoleCredentials":
		return c.roleCredentials(q)
	case "sso-oidc:CreateToken":
		return c.createToken(q)
	case "signin:CreateOAuth2Token":
		return c.createOAuth2Token(q)
	}
	return errorResponse(q.endpoint.service, http.StatusBadRequest, "UnknownOperationException", "the stand-in has no such operation")
}

// signed answers with do if the request is signed by somebody known.
func (c *Server) signed(q *call, do func(*call, identity) response) response {
	who, no := c.authenticate(q)
	if no != nil {
		return no.response(q.service)
	}
	c.log.update(q.entry, func(e *Request) { e.Principal = who.arn })
	return do(q, who)
}
