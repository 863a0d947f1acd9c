package awstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Login is what "aws login" stores. As JSON it is the file in ~/.aws/login/cache whose name is
// the SHA-256 of the profile's login_session.
type Login struct {
	AccessToken   LoginToken `json:"accessToken"`
	TokenType     string     `json:"tokenType"`
	RefreshToken  string     `json:"refreshToken"`
	IdentityToken string     `json:"identityToken"`
	ClientID      string     `json:"clientId"`
	DPoPKey       string     `json:"dpopKey"` // EC private key, PEM
}

// A LoginToken holds the temporary credentials of a Login.
type LoginToken struct {
	AccessKeyID     string    `json:"accessKeyId"`
	SecretAccessKey string    `json:"secretAccessKey"`
	SessionToken    string    `json:"sessionToken"`
	AccountID       string    `json:"accountId"`
	ExpiresAt       time.Time `json:"expiresAt"`
}

// loginTokenTTL is the TTL in the SDK's documentation of CreateOAuth2Token.
const loginTokenTTL = 15 * time.Minute

type loginSession struct {
	arn      string
	clientID string
	key      *ecdsa.PublicKey
}

type logins struct {
	mu      sync.Mutex
	refresh map[string]loginSession // by refresh token
}

// AddLogin logs in a principal, a user or a role's session, as "aws login" does.
func (srv *Server) AddLogin(arn string) (Login, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Login{}, fmt.Errorf("stand-in login: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Login{}, fmt.Errorf("stand-in login: %w", err)
	}
	s := srv.newSession(arn, "", loginTokenTTL)
	l := Login{
		AccessToken:  LoginToken{s.keyID, s.secret, s.token, accountOf(arn), s.expires},
		TokenType:    "aws_sigv4",
		RefreshToken: random(120),
		ClientID:     "arn:aws:signin:::devtools/same-device",
		DPoPKey:      string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	}
	srv.logins.mu.Lock()
	defer srv.logins.mu.Unlock()
	if srv.logins.refresh == nil {
		srv.logins.refresh = map[string]loginSession{}
	}
	srv.logins.refresh[l.RefreshToken] = loginSession{arn, l.ClientID, &key.PublicKey}
	return l, nil
}

// createOAuth2Token refreshes the credentials of a login.
func (srv *Server) createOAuth2Token(q *call) response {
	var in struct{ ClientID, GrantType, RefreshToken string }
	if err := json.Unmarshal(q.body, &in); err != nil || in.GrantType != "refresh_token" {
		return errorResponse(q.service, http.StatusBadRequest, "ValidationException", "only the refresh_token grant is supported")
	}
	srv.logins.mu.Lock()
	login, ok := srv.logins.refresh[in.RefreshToken]
	srv.logins.mu.Unlock()
	if !ok || in.ClientID != login.clientID || !provesKey(q, login.key) {
		resp := jsonResponse(restJSON, http.StatusBadRequest, map[string]string{"error": "TOKEN_EXPIRED", "message": "the login session is not valid"})
		resp.header.Set("X-Amzn-Errortype", "AccessDeniedException")
		return resp
	}
	s := srv.newSession(login.arn, "", loginTokenTTL)
	return jsonResponse(restJSON, http.StatusOK, map[string]any{
		"accessToken": map[string]string{
			"accessKeyId":     s.keyID,
			"secretAccessKey": s.secret,
			"sessionToken":    s.token,
		},
		"expiresIn":    int(loginTokenTTL.Seconds()),
		"refreshToken": in.RefreshToken,
		"tokenType":    "aws_sigv4",
	})
}

// provesKey checks the DPoP header: a statement about this request, signed with the login's key
// (RFC 9449).
func provesKey(q *call, key *ecdsa.PublicKey) bool {
	proof := q.Header.Get("Dpop")
	dot := strings.LastIndexByte(proof, '.')
	if dot < 0 {
		return false
	}
	sig, err := base64.RawURLEncoding.DecodeString(proof[dot+1:])
	if err != nil || len(sig) != 64 {
		return false
	}
	_, payload, _ := strings.Cut(proof[:dot], ".")
	statement, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return false
	}
	var about struct{ HTM, HTU string }
	if json.Unmarshal(statement, &about) != nil || about.HTM != q.Method || !strings.HasSuffix(about.HTU, q.Host+q.URL.Path) {
		return false
	}
	sum := sha256.Sum256([]byte(proof[:dot]))
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}
