package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// An awsOperation is an operation of the command cloud. Run returns nil unless it can fail.
type awsOperation struct {
	usage string
	run   func(s *script, ts *testscript.TestScript, args []string) error
}

var awsOperations = map[string]awsOperation{
	"user":            {"ARN KEY SECRET", do(func(s *script, a []string) { s.AWS.AddUser(a[0], a[1], a[2]) })},
	"role":            {"ARN [trusts=ARN] [external-id=ID] [subject=SUBJECT]", (*script).addRole},
	"grant":           {"ACCOUNT ARN", do(func(s *script, a []string) { s.AWS.Grant(a[0], a[1]) })},
	"deny":            {"ACTION ARN", do(func(s *script, a []string) { s.AWS.Deny(a[0], a[1]) })},
	"allow":           {"ACTION ARN", do(func(s *script, a []string) { s.AWS.Allow(a[0], a[1]) })},
	"fail":            {"ACTION hang|late|reset|throttle|page|STATUS|CODE:MESSAGE", (*script).fail},
	"heal":            {"ACTION", do(func(s *script, a []string) { s.AWS.Heal(a[0]) })},
	"instance-role":   {"ARN", do(func(s *script, a []string) { s.AWS.SetInstanceRole(a[0]) })},
	"instance-region": {"REGION", do(func(s *script, a []string) { s.AWS.SetInstanceRegion(a[0]) })},
	"imds-v1":         {"", do(func(s *script, _ []string) { s.AWS.SetMetadataMode(awstest.MetadataV1) })},
	// The metadata service and the container's service return other keys each time.
	"fresh-sessions": {"", do(func(s *script, _ []string) { s.AWS.SetFreshSessions(true) })},
	// A client that sends what FILE holds gets the container's credentials.
	"container-role":     {"ARN FILE", (*script).setContainerRole},
	"web-identity-token": {"FILE SUBJECT [expired|elsewhere]", (*script).writeWebIdentityToken},
	"sso-login": {"FILE ACCOUNT ROLE", func(s *script, ts *testscript.TestScript, a []string) error {
		return writeJSON(ts.MkAbs(a[0]), s.AWS.AddSSO(portal, "eu-west-1", a[1], a[2]))
	}},
	// Expires all access tokens. FILE then has a time in the past, as after eight hours.
	"expire-sso": {"[FILE]", (*script).expireSSO},
	"aws-login": {"FILE ARN", func(s *script, ts *testscript.TestScript, a []string) error {
		login, err := s.AWS.AddLogin(a[1])
		return errors.Join(err, writeJSON(ts.MkAbs(a[0]), login))
	}},
	// Expires all sessions, and sets the time in FILE accordingly.
	"lapse-aws-login": {"FILE", (*script).expireAWSLogin},
	// Sets the keys of a session in the helper's environment.
	"session":         {"ARN", (*script).setSession},
	"expire-sessions": {"", do(func(s *script, _ []string) { s.AWS.ExpireSessions() })},
	// Sets the server's clock ahead of the local one.
	"clock": {"DURATION", withDuration(func(s *script, ahead time.Duration) {
		s.AWS.SetClock(func() time.Time { return time.Now().Add(ahead) })
	})},
	"token-life":     {"DURATION", withDuration(func(s *script, ttl time.Duration) { s.AWS.SetTokenTTL(ttl) })},
	"password-life":  {"DURATION", withDuration(func(s *script, ttl time.Duration) { s.AWS.SetPasswordTTL(ttl) })},
	"proxy-password": {"USER PASSWORD", do(func(s *script, a []string) { s.AWS.RequireProxyAuth(a[0], a[1]) })},
	// Serves a registry at HOST with the images team/app:1.0, and team/both:1.0 for two platforms.
	// It answers requests below PATH with STATUS.
	"registry": {"HOST [PATH=STATUS]", (*script).serveRegistry},
}

// do makes an operation of a function that can't fail.
func do(run func(s *script, args []string)) func(*script, *testscript.TestScript, []string) error {
	return func(s *script, _ *testscript.TestScript, args []string) error {
		run(s, args)
		return nil
	}
}

// withDuration makes an operation of a function whose argument is a duration.
func withDuration(run func(*script, time.Duration)) func(*script, *testscript.TestScript, []string) error {
	return func(s *script, _ *testscript.TestScript, args []string) error {
		d, err := time.ParseDuration(args[0])
		if err == nil {
			run(s, d)
		}
		return err
	}
}

// aws runs an operation. Arguments in brackets are optional.
func (s *script) aws(ts *testscript.TestScript, _ bool, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: cloud OPERATION ARG…")
	}
	name, args := args[0], args[1:]
	op, known := awsOperations[name]
	most := len(strings.Fields(op.usage))
	if fewest := most - strings.Count(op.usage, "["); !known || len(args) < fewest || len(args) > most {
		return fmt.Errorf("usage: cloud %s %s", name, op.usage)
	}
	return op.run(s, ts, args)
}

// workload returns the web identity of a CI job.
func workload(subject string) *awstest.WebIdentity {
	return &awstest.WebIdentity{Issuer: "https://ci.example.com", Subject: subject, Audience: "sts.amazonaws.com"}
}

func (s *script) addRole(_ *testscript.TestScript, args []string) error {
	role := awstest.Role{ARN: args[0]}
	for _, option := range args[1:] {
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

func (s *script) fail(_ *testscript.TestScript, args []string) error {
	var f awstest.Fault
	switch how := args[1]; how {
	case "hang":
		f.Hang = true
	case "late": // the answer is right
		f.Delay = 2 * time.Second
	case "reset":
		f.Reset = true
	case "throttle":
		f.Code, f.Message = "ThrottlingException", "Rate exceeded"
	case "page": // a captive portal answers like this
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
	s.AWS.Fail(args[0], f)
	return nil
}

func (s *script) setContainerRole(ts *testscript.TestScript, args []string) error {
	s.AWS.SetContainerRole(args[0], ts.ReadFile(args[1]))
	return nil
}

func (s *script) writeWebIdentityToken(ts *testscript.TestScript, args []string) error {
	s.tokens++ // no two tokens are the same
	ttl, identity := time.Hour+time.Duration(s.tokens)*time.Second, workload(args[1])
	switch {
	case len(args) < 3:
	case args[2] == "expired":
		ttl = -ttl
	case args[2] == "elsewhere":
		identity.Issuer = "https://elsewhere.example.com"
	default:
		return fmt.Errorf("no web identity token is %s", args[2])
	}
	return testenv.WriteFile(ts.MkAbs(args[0]), identity.Token(time.Now().Add(ttl)))
}

func (s *script) expireSSO(ts *testscript.TestScript, args []string) error {
	s.AWS.ExpireSSO()
	if len(args) == 0 {
		return nil
	}
	var login awstest.SSOLogin
	return rewrite(ts.MkAbs(args[0]), &login, func() { login.ExpiresAt = time.Now().Add(-time.Minute) })
}

func (s *script) expireAWSLogin(ts *testscript.TestScript, args []string) error {
	s.AWS.ExpireSessions()
	var login awstest.Login
	return rewrite(ts.MkAbs(args[0]), &login, func() { login.AccessToken.ExpiresAt = time.Now().Add(-time.Minute) })
}

func (s *script) setSession(_ *testscript.TestScript, args []string) error {
	login, err := s.AWS.AddLogin(args[0])
	keys := login.AccessToken
	s.Set("AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_SESSION_TOKEN="+keys.SessionToken)
	return err
}

func (s *script) serveRegistry(_ *testscript.TestScript, args []string) error {
	auth := s.AWS.RegistryAuth
	if args[0] == "public.ecr.aws" {
		auth = s.AWS.PublicAuth
	}
	s.AWS.Handle(args[0], auth(args[0], images(strings.Join(args[1:], ""))))
	return nil
}

// rewrite changes the value that a file holds as JSON.
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
	return errors.Join(err, testenv.WriteFile(file, string(text)))
}
