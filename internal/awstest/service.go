package awstest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is the size limit of a request's body.
const maxBody = 1 << 20

// A call is a request that is being served.
type call struct {
	*http.Request
	endpoint endpoint
	body     []byte
	form     url.Values
	action   string
	service  string // the part of action before the colon
	entry    *Request
}

// serve records a request, delays it or makes it go wrong as configured, and else responds with do.
// The action is what name returns.
func (srv *Server) serve(w http.ResponseWriter, r *http.Request, at endpoint, name func(*call) string, do func(*call) response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	q := &call{Request: r, endpoint: at, body: body}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		q.form, _ = url.ParseQuery(string(body)) // a body that can't be parsed has no action
	}
	q.action = name(q)
	q.service, _, _ = strings.Cut(q.action, ":")
	sig, _ := parseSignature(r.Header.Get("Authorization"))
	host := at.host
	if host == "" {
		host = r.Host
	}
	q.entry = srv.log.add(Request{
		Action:     q.action,
		Host:       host,
		Path:       r.URL.Path,
		Region:     sig.region,
		TargetRole: q.form.Get("RoleArn"),
	})

	if !srv.pause(r.Context(), time.Duration(srv.latency.Load())) {
		panic(http.ErrAbortHandler)
	}
	fault, _ := srv.faults.take(q.action)
	if !srv.pause(r.Context(), fault.Delay) {
		panic(http.ErrAbortHandler)
	}
	if fault.Hang {
		srv.hang(r.Context())
		panic(http.ErrAbortHandler)
	}
	if fault.Reset {
		reset(w)
		return
	}
	if fault.Repeat {
		fault.Message += " " + r.Header.Get("X-Amz-Security-Token")
	}
	resp, wrong := fault.response(q.service)
	switch {
	case wrong:
	case srv.quotas.exceeded(q.action, srv.now()):
		resp = throttledResponse(q.service)
	default:
		resp = do(q)
	}
	srv.log.update(q.entry, func(e *Request) { e.Status = resp.status })
	if fault.Drip > 0 || fault.Cut {
		srv.writeFaulty(w, r, resp, fault)
		return
	}
	resp.write(w, srv.now())
}

// services returns the handler of AWS's APIs at an endpoint.
func (srv *Server) services(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.serve(w, r, e, action, srv.respond)
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

// action returns the action that a request asks for.
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

// respond performs the action of a call.
func (srv *Server) respond(q *call) response {
	switch q.action {
	case "sts:AssumeRole":
		return srv.signed(q, srv.assumeRole)
	case "sts:AssumeRoleWithWebIdentity":
		return srv.assumeRoleWithWebIdentity(q)
	case "sts:GetCallerIdentity":
		return srv.signed(q, srv.callerIdentity)
	case "ecr:GetAuthorizationToken":
		return srv.signed(q, srv.authorizationToken)
	case "ecr-public:GetAuthorizationToken":
		return srv.signed(q, srv.publicAuthorizationToken)
	case "sso:GetRoleCredentials":
		return srv.roleCredentials(q)
	case "sso-oidc:CreateToken":
		return srv.createToken(q)
	case "signin:CreateOAuth2Token":
		return srv.createOAuth2Token(q)
	}
	return errorResponse(q.endpoint.service, http.StatusBadRequest, "UnknownOperationException", "the stand-in has no such operation")
}

// signed responds with do if the request has the signature of a known principal.
func (srv *Server) signed(q *call, do func(*call, identity) response) response {
	who, denied := srv.authenticate(q)
	if denied != nil {
		return denied.response(q.service)
	}
	srv.log.update(q.entry, func(e *Request) { e.Principal = who.arn })
	return do(q, who)
}
