package awstest

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A response is a response of a service.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (resp response) write(w http.ResponseWriter, now time.Time) {
	for name, values := range resp.header {
		w.Header()[name] = values
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.WriteHeader(resp.status)
	w.Write(resp.body)
}

// writeFaulty writes a response byte by byte, or half of it.
func (srv *Server) writeFaulty(w http.ResponseWriter, r *http.Request, resp response, fault Fault) {
	body := resp.body
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	resp.body = nil
	resp.write(w, srv.now())
	if fault.Cut {
		body = body[:len(body)/2]
	}
	for i := range body {
		if !srv.pause(r.Context(), fault.Drip) {
			panic(http.ErrAbortHandler)
		}
		w.Write(body[i : i+1])
		if fault.Drip > 0 {
			http.NewResponseController(w).Flush()
		}
	}
	if fault.Cut {
		panic(http.ErrAbortHandler)
	}
}

func textResponse(status int, body string) response {
	return response{status, http.Header{"Content-Type": {"text/plain"}}, []byte(body)}
}

func jsonResponse(contentType string, status int, v any) response {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("stand-in: %v", err)) // all callers pass types that can be marshalled
	}
	return response{status, http.Header{
		"Content-Type":     {contentType},
		"X-Amzn-Requestid": {requestID()},
	}, body}
}

func xmlResponse(status int, id string, v any) response {
	body, err := xml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("stand-in: %v", err)) // all callers pass types that can be marshalled
	}
	return response{status, http.Header{
		"Content-Type":     {"text/xml"},
		"X-Amzn-Requestid": {id},
	}, body}
}

func requestID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// The content types of the two JSON protocols.
const (
	awsJSON  = "application/x-amz-json-1.1"
	restJSON = "application/json"
)

// errorResponse returns an error in the format of a service.
func errorResponse(service string, status int, code, message string) response {
	switch service {
	case "sts":
		id := requestID()
		v := stsError{RequestID: id}
		v.Error.Type, v.Error.Code, v.Error.Message = "Sender", code, message
		if status >= 500 {
			v.Error.Type = "Receiver"
		}
		return xmlResponse(status, id, v)
	case "ecr", "ecr-public":
		return jsonResponse(awsJSON, status, map[string]string{"__type": code, "message": message})
	case "imds":
		return textResponse(status, message)
	case "container":
		return jsonResponse(restJSON, status, map[string]string{"code": code, "message": message})
	}
	resp := jsonResponse(restJSON, status, map[string]string{"message": message})
	resp.header.Set("X-Amzn-Errortype", code)
	return resp
}

type stsError struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error   struct {
		Type, Code, Message string
	}
	RequestID string `xml:"RequestId"`
}

// A denial says why a service refuses a request. The code is that of the query protocol (STS); the
// JSON protocol has other codes.
type denial struct {
	code, message string
}

var jsonCodes = map[string]string{
	"AccessDenied":               "AccessDeniedException",
	"ExpiredToken":               "ExpiredTokenException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",
	"SignatureDoesNotMatch":      "InvalidSignatureException",
}

func (d *denial) response(service string) response {
	if service == "sts" {
		return errorResponse(service, http.StatusForbidden, d.code, d.message)
	}
	return errorResponse(service, http.StatusBadRequest, jsonCodes[d.code], d.message)
}
