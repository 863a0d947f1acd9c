package awstest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// MetadataMode is what the metadata service requires of a client.
type MetadataMode int

// The zero mode is what AWS recommends. For a hop limit that is too low for a container, use
// Fail("imds:token", Fault{Hang: true}).
const (
	MetadataV2       MetadataMode = iota // a token is required (IMDSv2)
	MetadataOptional                     // a token is given, and is optional
	MetadataV1                           // there are no tokens: a request for one gets 404
	MetadataOff                          // every path gets 404
)

const instanceID = "i-0abc1234def567890"

type instance struct {
	mu       sync.Mutex
	mode     MetadataMode
	region   string
	tokens   map[string]time.Time // the time at which each expires
	sessions sessions
}

// SetInstanceRole sets the role of the instance. AddRole need not know it. At first, and with "",
// there is none.
func (srv *Server) SetInstanceRole(roleARN string) { srv.instance.sessions.set(roleARN) }

// SetInstanceRegion sets the region of the instance. At first it is us-east-1.
func (srv *Server) SetInstanceRegion(region string) {
	srv.instance.mu.Lock()
	defer srv.instance.mu.Unlock()
	srv.instance.region = region
}

// SetMetadataMode sets the mode of the metadata service.
func (srv *Server) SetMetadataMode(m MetadataMode) {
	srv.instance.mu.Lock()
	defer srv.instance.mu.Unlock()
	srv.instance.mode = m
}

// MetadataHandler returns the metadata service, to serve it at another address: 169.254.169.254:80
// in a network namespace, for example.
func (srv *Server) MetadataHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.serve(w, r, endpoint{}, metadataAction, srv.metadata)
	})
}

const rolesPath = "/latest/meta-data/iam/security-credentials/"

func metadataAction(q *call) string {
	switch path := q.URL.Path; {
	case path == "/latest/api/token":
		return "imds:token"
	case path == rolesPath, path+"/" == rolesPath:
		return "imds:roles"
	case strings.HasPrefix(path, rolesPath):
		return "imds:credentials"
	case path == "/latest/meta-data/placement/region":
		return "imds:region"
	case path == "/latest/dynamic/instance-identity/document":
		return "imds:document"
	}
	return "imds:" + unknownAction
}

func (srv *Server) metadata(q *call) response {
	srv.instance.mu.Lock()
	mode, region := srv.instance.mode, srv.instance.region
	good := srv.now().Before(srv.instance.tokens[q.Header.Get("X-Aws-Ec2-Metadata-Token")])
	srv.instance.mu.Unlock()

	if mode == MetadataOff || mode == MetadataV1 && q.action == "imds:token" {
		return metadataNotFound()
	}
	if q.action == "imds:token" {
		return srv.metadataToken(q)
	}
	if mode == MetadataV2 && !good {
		return textResponse(http.StatusUnauthorized, "401 - Unauthorized")
	}
	role := srv.instance.sessions.roleARN()
	switch q.action {
	case "imds:region":
		return textResponse(http.StatusOK, region)
	case "imds:document":
		return srv.instanceDocument(region, role)
	case "imds:roles":
		if role != "" {
			return textResponse(http.StatusOK, roleName(role))
		}
	case "imds:credentials":
		if strings.TrimPrefix(q.URL.Path, rolesPath) == roleName(role) {
			return srv.instanceCredentials(q)
		}
	}
	return metadataNotFound()
}

func metadataNotFound() response { return textResponse(http.StatusNotFound, "404 - Not Found") }

func (srv *Server) metadataToken(q *call) response {
	const ttlHeader = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	if q.Method != http.MethodPut {
		return textResponse(http.StatusMethodNotAllowed, "405 - Method Not Allowed")
	}
	ttl, err := strconv.Atoi(q.Header.Get(ttlHeader))
	if err != nil || ttl < 1 || ttl > 21600 {
		return textResponse(http.StatusBadRequest, "400 - Bad Request")
	}
	token := random(40)
	until := srv.now().Add(time.Duration(ttl) * time.Second)
	srv.instance.mu.Lock()
	defer srv.instance.mu.Unlock()
	if srv.instance.tokens == nil {
		srv.instance.tokens = map[string]time.Time{}
	}
	srv.instance.tokens[token] = until
	resp := textResponse(http.StatusOK, token)
	resp.header.Set(ttlHeader, strconv.Itoa(ttl))
	return resp
}

func (srv *Server) instanceDocument(region, role string) response {
	// The real service sends indented JSON as plain text, and all values are strings.
	document, err := json.MarshalIndent(map[string]string{
		"accountId":        accountOf(role),
		"architecture":     "x86_64",
		"availabilityZone": region + "a",
		"instanceId":       instanceID,
		"instanceType":     "t3.micro",
		"pendingTime":      srv.now().UTC().Format(time.RFC3339),
		"region":           region,
		"version":          "2017-09-30",
	}, "", "  ")
	if err != nil {
		return textResponse(http.StatusInternalServerError, err.Error())
	}
	return textResponse(http.StatusOK, string(document))
}

func (srv *Server) instanceCredentials(q *call) response {
	s, ok := srv.sessionFrom(&srv.instance.sessions, instanceID)
	if !ok {
		return metadataNotFound()
	}
	srv.log.update(q.entry, func(e *Request) { e.TargetRole = s.role })
	v := s.credentials()
	v["Code"] = "Success"
	v["Type"] = "AWS-HMAC"
	v["LastUpdated"] = srv.now().UTC().Format(time.RFC3339)
	return jsonResponse("text/plain", http.StatusOK, v)
}
