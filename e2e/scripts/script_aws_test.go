package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docker-credential-ecr-login/internal/awstest"
)

// operations are those of the command cloud, with their arguments.
var awsOperations = map[string]string{
	"user":            "ARN KEY SECRET",
	"role":            "ARN [trusts=ARN] [external-id=ID] [subject=SUBJECT]",
	"grant":           "ACCOUNT ARN",
	"deny":            "ACTION ARN",
	"allow":           "ACTION ARN",
	"fail":            "ACTION hang|late|reset|throttle|page|STATUS|CODE:MESSAGE",
	"heal":            "ACTION",
	"instance-role":   "ARN",
	"instance-region": "REGION",
	"imds-v1":         "",
	// The metadata service and the container's give other keys each time.
	"fresh-sessions": "",
	// Whoever shows what is in FILE gets the container's credentials.
	"container-role":     "ARN FILE",
	"web-identity-token": "FILE SUBJECT [expired|elsewhere]",
	"sso-login":          "FILE ACCOUNT ROLE",
	// All access tokens end. FILE then says so, as where their time has come.
	"expire-sso": "[FILE]",
	"aws-login":  "FILE ARN",
	// All sessions end, and FILE says so.
	"lapse-aws-login": "FILE",
	// The helper's environment gets the keys of a session.
	"session":         "ARN",
	"expire-sessions": "",
	// The server's clock is ahead of ours.
	"clock":          "DURATION",
	"token-life":     "DURATION",
	"password-life":  "DURATION",
	"proxy-password": "USER PASSWORD",
	// HOST is a registry with the images team/app:1.0, and team/both:1.0 for two platforms; it
	// answers with a status to what is below PATH.
	"registry": "HOST [PATH=STATUS]",
}

func (s *script) aws(ts *testscript.TestScript, _ bool, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: cloud OPERATION ARG…")
	}
	op, a := args[0], args[1:]
	usage, known := awsOperations[op]
	most, fewest := len(strings.Fields(usage)), len(strings.Fields(usage))-strings.Count(usage, "[")
	if !known || len(a) < fewest || len(a) > most {
		return fmt.Errorf("usage: cloud %s %s", op, usage)
	}
	switch op {
	case "user":
		s.AWS.AddUser(a[0], a[1], a[2])
	case "role":
		return s.addRole(a[0], a[1:])
	case "grant":
		s.AWS.Grant(a[0], a[1])
	case "deny":
		s.AWS.Deny(a[0], a[1])
	case "allow":
		s.AWS.Allow(a[0], a[1])
	case "fail":
		return s.fail(a[0], a[1])
	case "heal":
		s.AWS.Heal(a[0])
	case "instance-role":
		s.AWS.SetInstanceRole(a[0])
	case "instance-region":
		s.AWS.SetInstanceRegion(a[0])
	case "imds-v1":
		s.AWS.SetMetadataMode(awstest.MetadataV1)
	case "fresh-sessions":
		s.AWS.SetFreshSessions(true)
	case "container-role":
		s.AWS.SetContainerRole(a[0], ts.ReadFile(a[1]))
	case "web-identity-token":
		s.tokens++ // each token is another one
		life, whose := time.Hour+time.Duration(s.tokens)*time.Second, workload(a[1])
		switch {
		case len(a) < 3:
		case a[2] == "expired":
			life = -life
		case a[2] == "elsewhere":
			whose.Issuer = "https://elsewhere.example.com"
		default:
			return fmt.Errorf("no web identity token is %s", a[2])
		}
		return write(ts.MkAbs(a[0]), []byte(whose.Token(time.Now().Add(life))))
	case "sso-login":
		return writeJSON(ts.MkAbs(a[0]), s.AWS.AddSSO(portal, "eu-west-1", a[1], a[2]))
	case "expire-sso":
		s.AWS.ExpireSSO()
		if len(a) > 0 {
			var login awstest.SSOLogin
			return rewrite(ts.MkAbs(a[0]), &login, func() { login.ExpiresAt = time.Now().Add(-time.Minute) })
		}
	case "aws-login":
		login, err := s.AWS.AddLogin(a[1])
		return errors.Join(err, writeJSON(ts.MkAbs(a[0]), login))
	case "lapse-aws-login":
		s.AWS.ExpireSessions()
		var login awstest.Login
		return rewrite(ts.MkAbs(a[0]), &login, func() { login.AccessToken.ExpiresAt = time.Now().Add(-time.Minute) })
	case "session":
		login, err := s.AWS.AddLogin(a[0])
		keys := login.AccessToken
		s.Set("AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN="+keys.SessionToken)
		return err
	case "expire-sessions":
		s.AWS.ExpireSessions()
	case "clock", "token-life", "password-life":
		return s.time(op, a[0])
	case "proxy-password":
		s.AWS.RequireProxyAuth(a[0], a[1])
	case "registry":
		gate := s.AWS.RegistryAuth
		if a[0] == "public.ecr.aws" {
			gate = s.AWS.PublicAuth
		}
		s.AWS.Handle(a[0], gate(a[0], images(strings.Join(a[1:], ""))))
	default:
		return fmt.Errorf("cloud %s isn't there yet", op)
	}
	return nil
}

func workload(subject string) *awstest.WebIdentity {
	return &awstest.WebIdentity{Issuer: "https://ci.example.com", Subject: subject, Audience: "sts.amazonaws.com"}
}

func (s *script) addRole(arn string, options []string) error {
	role := awstest.Role{ARN: arn}
	for _, option := range options {
		switch name, value, _ := strings.Cut(option, "="); name {
		case "trusts":
			role.Trusts = append(role.Trusts, value)
		case "external-id":
			role.ExternalID = value
		case "subject":
			role.WebIdentity = workload(value)
		default:
			return fmt.Errorf("a role has no %s", name)
		}
	}
	s.AWS.AddRole(role)
	return nil
}

func (s *script) fail(action, how string) error {
	var f awstest.Fault
	switch how {
	case "hang":
		f.Hang = true
	case "late": // and right
		f.Delay = 2 * time.Second
	case "reset":
		f.Reset = true
	case "throttle":
		f.Code, f.Message = "ThrottlingException", "Rate exceeded"
	case "page": // as a captive portal answers
		f.Status, f.Body = 200, []byte("<html>\n<body>please log in MARKED</body>\n</html>\n")
	default:
		if code, message, ok := strings.Cut(how, ": "); ok {
			f.Code, f.Message = code, message
			break
		}
		status, err := strconv.Atoi(how)
		if err != nil {
			return fmt.Errorf("nothing fails like %q", how)
		}
		f.Status, f.Code, f.Message = status, "ServerException", "it isn't well"
	}
	s.AWS.Fail(action, f)
	return nil
}

func (s *script) time(op, text string) error {
	d, err := time.ParseDuration(text)
	switch op {
	case "clock":
		s.AWS.SetClock(func() time.Time { return time.Now().Add(d) })
	case "token-life":
		s.AWS.SetTokenTTL(d)
	case "password-life":
		s.AWS.SetPasswordTTL(d)
	}
	return err
}

// rewrite changes a value that a file holds as JSON.
func rewrite(file string, value any, change func()) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return err
	}
	change()
	return writeJSON(file, value)
}

func writeJSON(file string, value any) error {
	text, err := json.Marshal(value)
	return errors.Join(err, write(file, text))
}

func write(file string, text []byte) error {
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600))
}
