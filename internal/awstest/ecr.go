package awstest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type authorizationData struct {
	Token         string  `json:"authorizationToken"`
	ExpiresAt     float64 `json:"expiresAt"` // seconds
	ProxyEndpoint string  `json:"proxyEndpoint,omitempty"`
}

func (srv *Server) authorizationToken(q *call, who identity) response {
	if denied := srv.permits(who, q.action); denied != nil {
		return denied.response(q.service)
	}
	var in struct {
		RegistryIDs []string `json:"registryIds"`
	}
	p, ok := partitionOf(q.entry.Region)
	if err := json.Unmarshal(q.body, &in); err != nil || !ok {
		return errorResponse(q.service, http.StatusBadRequest, "InvalidParameterException", "Invalid parameter in request")
	}
	if len(in.RegistryIDs) == 0 {
		in.RegistryIDs = []string{accountOf(who.arn)}
	}
	token := srv.issue(who, q.entry.Region, false)
	var out struct {
		Data []authorizationData `json:"authorizationData"`
	}
	for _, account := range in.RegistryIDs {
		data := token.data()
		data.ProxyEndpoint = "https://" + account + ".dkr.ecr." + q.entry.Region + "." + p.dns
		out.Data = append(out.Data, data)
	}
	return jsonResponse(awsJSON, http.StatusOK, out)
}

func (srv *Server) publicAuthorizationToken(q *call, who identity) response {
	for _, action := range []string{q.action, "sts:GetServiceBearerToken"} {
		if denied := srv.permits(who, action); denied != nil {
			return denied.response(q.service)
		}
	}
	if q.entry.Region != "us-east-1" {
		return errorResponse(q.service, http.StatusBadRequest, "UnsupportedCommandException", "ECR Public is in us-east-1 only")
	}
	return jsonResponse(awsJSON, http.StatusOK, map[string]authorizationData{
		"authorizationData": srv.issue(who, q.entry.Region, true).data(),
	})
}

// permits returns why a principal may not perform an action, or nil.
func (srv *Server) permits(who identity, action string) *denial {
	if !srv.principals.forbids(action, who) {
		return nil
	}
	return &denial{"AccessDenied", fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: * because no identity-based policy allows the %[2]s action", who.arn, action)}
}

// data returns the token in the format of the API.
func (t token) data() authorizationData {
	return authorizationData{
		Token:     base64.StdEncoding.EncodeToString([]byte("AWS:" + t.password)),
		ExpiresAt: float64(t.expires.Truncate(time.Millisecond).UnixMilli()) / 1000,
	}
}
