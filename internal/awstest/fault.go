package awstest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Fault is what goes wrong with a request. With nothing but a Delay, a Drip or a Cut, the right
// response follows.
type Fault struct {
	Status  int           // of the response; 0 means 400 with a Code, else 200
	Code    string        // AWS's error code
	Message string        // AWS's message
	Repeat  bool          // append the session token of the request to the message
	Body    []byte        // the whole body, instead of Code and Message
	Header  http.Header   // additional headers of the response
	Delay   time.Duration // the time before anything else
	Hang    bool          // read the request and never answer
	Reset   bool          // reset the connection
	Drip    time.Duration // the time before each byte of the body
	Cut     bool          // drop the connection in the middle of the body
	Times   int           // how often it happens; 0 means until Heal
}

type faults struct {
	mu       sync.Mutex
	byAction map[string]*Fault
}

// Fail makes requests of an action go wrong. The actions are
//
//	sts:AssumeRole  sts:AssumeRoleWithWebIdentity  sts:GetCallerIdentity
//	ecr:GetAuthorizationToken  ecr-public:GetAuthorizationToken
//	sso:GetRoleCredentials  sso-oidc:CreateToken  signin:CreateOAuth2Token
//	imds:token  imds:roles  imds:credentials  imds:region  imds:document
//	container:credentials
//
// and sts:*, imds:* and so on, and * for every request. The most specific name applies. A second
// call for the same name replaces the first.
func (srv *Server) Fail(action string, f Fault) {
	srv.faults.mu.Lock()
	defer srv.faults.mu.Unlock()
	if srv.faults.byAction == nil {
		srv.faults.byAction = map[string]*Fault{}
	}
	srv.faults.byAction[action] = &f
}

// Heal ends the fault of an action, as it was named for Fail.
func (srv *Server) Heal(action string) {
	srv.faults.mu.Lock()
	defer srv.faults.mu.Unlock()
	delete(srv.faults.byAction, action)
}

// take returns the fault of an action, and counts it.
func (f *faults) take(action string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	service, _, _ := strings.Cut(action, ":")
	for _, name := range []string{action, service + ":*", "*"} {
		fault, ok := f.byAction[name]
		if !ok {
			continue
		}
		now := *fault
		if fault.Times == 1 {
			delete(f.byAction, name)
		} else if fault.Times > 1 {
			fault.Times--
		}
		return now, true
	}
	return Fault{}, false
}

// response returns the response of the fault; false if it has none.
func (f Fault) response(service string) (response, bool) {
	if f.Status == 0 && f.Code == "" && f.Body == nil {
		return response{}, false
	}
	status := f.Status
	if status == 0 && f.Code != "" {
		status = http.StatusBadRequest
	} else if status == 0 {
		status = http.StatusOK
	}
	resp := errorResponse(service, status, f.Code, f.Message)
	if f.Body != nil {
		resp.body = f.Body
	}
	for name, values := range f.Header {
		resp.header[name] = values
	}
	return resp, true
}

// pause waits for d. It returns false at once if the client goes away or the Server is closed.
func (srv *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-srv.done:
	}
	return false
}

// hang waits until the client goes away or the Server is closed.
func (srv *Server) hang(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-srv.done:
	}
}
