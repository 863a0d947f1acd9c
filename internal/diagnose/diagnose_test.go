package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"

	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registrymap"
)

const (
	ecrHost = "api.ecr.eu-west-1.amazonaws.com"
	role    = "arn:aws:iam::111122223333:role/pull"
	entry   = "/etc/ecr-login/config.toml, line 3"
)

// onECR are facts after a request to ECR that was answered with a status.
func onECR(status int) Facts {
	return Facts{
		Last:   Call{Service: "ECR", Host: ecrHost, Status: status},
		Source: "profile ci", Files: "/home/ci/.aws/config", Where: entry,
		MetadataHost: "169.254.169.254",
	}
}

// onSTS are facts after STS refused to let the role be assumed, for a principal of the map.
func onSTS(p registrymap.Principal) Facts {
	f := onECR(403)
	f.Last.Service, f.Last.Host, f.Role, f.Principal = "STS", "sts.eu-west-1.amazonaws.com", role, p
	return f
}

// onMachine are facts after a request to the metadata service or a container's endpoint.
func onMachine(host string, status int) Facts {
	f := onECR(status)
	f.Last = Call{Host: host, OfMachine: true, Status: status}
	f.ContainerHost = "169.254.170.2"
	return f
}

// onLogin are facts after a request of a login session, whose file exists or not.
func onLogin(service string, status int, file string) Facts {
	f := onECR(status)
	f.Last = Call{Service: service, Status: status}
	if status != 0 {
		f.Last.Host = "portal.sso.eu-west-1.amazonaws.com"
	}
	f.Login = &Login{Profile: "dev", File: file, Command: "aws sso login --profile dev", Role: "admin", Account: "111122223333"}
	return f
}

func operation(service, name string, err error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: name, Err: err}
}

// said is an error that AWS answers a call with.
func said(service, name, code, message string) error {
	return operation(service, name, &smithy.GenericAPIError{Code: code, Message: message})
}

func ofECR(code, message string) error { return said("ECR", "GetAuthorizationToken", code, message) }

// sent is an error of net/http below a call of ECR.
func sent(err error) error {
	return operation("ECR", "GetAuthorizationToken", &url.Error{Op: "Post", URL: "https://user:password@" + ecrHost, Err: err})
}

func dial(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

func ofMetadata(err error) error { return operation(imds.ServiceID, "GetMetadata", err) }

// refused is the error of a system call as package net returns it.
var refused = os.NewSyscallError("connect", syscall.ECONNREFUSED)

var errNoConnection = sent(dial(refused))

type test struct {
	name   string
	err    error
	facts  Facts
	kind   failure.Kind
	reason string
	hint   string
}

func tests(t *testing.T) []test {
	const (
		otherRegion  = "Credential should be scoped to a valid region, not 'eu-west-1'."
		setKeys      = "set AWS_PROFILE or AWS_ACCESS_KEY_ID"
		noKeys       = "no credentials in the environment or the AWS configuration, and "
		metadata     = "169.254.169.254"
		container    = "169.254.170.2"
		containerFix = "see whether the task or the pod has a role, and the AWS_CONTAINER_* variables are those of this container"
		fips         = "FIPS endpoints exist in some regions alone: take AWS_USE_FIPS_ENDPOINT or use_fips_endpoint away, or name the registry by its host without -fips"
		setRegion    = "see whether the region is right and DNS works"
		firewall     = "see whether a firewall or proxy is in the way"
		setTime      = "see whether a firewall or proxy is in the way; AWS_ECR_TIMEOUT sets another time"
	)
	token := "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://oidc","sub":"ci","aud":"aws"}`)) + ".x"
	const bearer = ` (iss "https://oidc", sub "ci", aud "aws")`
	webIdentity := func(code string) error { return said("STS", "AssumeRoleWithWebIdentity", code, "Not you") }
	with := func(f Facts, change func(*Facts)) Facts { change(&f); return f }
	file := filepath.Join(t.TempDir(), "x.json")
	mapped := registrymap.Principal{Profile: "prod"}
	absent := config.SharedConfigProfileNotExistError{Profile: "prod", Err: errors.New("x")}
	deadline := operation("ECR", "GetAuthorizationToken", context.DeadlineExceeded)
	onFIPS := with(onECR(0), func(f *Facts) { f.Last.Host = "ecr-fips.eu-west-1.amazonaws.com" })

	return []test{
		// AWS's own words.
		{"throttled", ofECR("ThrottlingException", "Rate exceeded"), onECR(400), failure.Unavailable, ecrHost + " throttles: too many calls of ecr:GetAuthorizationToken", "try again later, or let fewer jobs begin at once"},
		{"429", ofECR("Odd", "x"), onECR(429), failure.Unavailable, ecrHost + " throttles: too many calls of ecr:GetAuthorizationToken", "try again later, or let fewer jobs begin at once"},
		{"500", ofECR("ServerException", "x"), onECR(500), failure.Unavailable, ecrHost + " answered 500 to ecr:GetAuthorizationToken (ServerException)", "try again; see the AWS health dashboard if it stays so"},
		{"unknown issuer", webIdentity("InvalidIdentityToken"), onSTS(registrymap.Principal{WebIdentityToken: token}), failure.Denied, "sts.eu-west-1.amazonaws.com refuses the web identity token for " + role + bearer + ": Not you", "make the token's issuer an identity provider of the role's account, for that audience"},
		{"expired token of a file", webIdentity("ExpiredTokenException"), onSTS(registrymap.Principal{}), failure.Expired, "the web identity token for " + role + " has expired", "see what ought to renew its file"},
		{"expired token of a variable", webIdentity("ExpiredTokenException"), onSTS(registrymap.Principal{WebIdentityTokenEnv: "CI_TOKEN"}), failure.Expired, "the web identity token for " + role + " has expired", "put a new one into CI_TOKEN"},
		{"expired token of the kubelet", webIdentity("ExpiredTokenException"), onSTS(registrymap.Principal{WebIdentityToken: token}), failure.Expired, "the web identity token for " + role + " has expired", "see the clocks of the node and of the API server: the kubelet has sent it just now"},
		{"expired credentials", ofECR("ExpiredTokenException", "x"), onECR(400), failure.Expired, "the credentials have expired; they come from: profile ci", "get new ones"},
		{"ExpiredToken", ofECR("ExpiredToken", "x"), onECR(400), failure.Expired, "the credentials have expired; they come from: profile ci", "get new ones"},
		{"RequestExpired", ofECR("RequestExpired", "x"), onECR(400), failure.Expired, "the credentials have expired; they come from: profile ci", "get new ones"},
		{"role denied", said("STS", "AssumeRole", "AccessDenied", "Not you"), onSTS(registrymap.Principal{}), failure.Denied, "may not assume " + role + ": Not you", "let the role's trust policy name that principal, and the principal's own policy allow sts:AssumeRole on the role"},
		{"role denied to a token", webIdentity("AccessDenied"), onSTS(registrymap.Principal{WebIdentityToken: token}), failure.Denied, "may not assume " + role + " with the web identity token" + bearer + ": Not you", "let the role's trust policy name the token's issuer, audience and subject"},
		{"IDPRejectedClaim", webIdentity("IDPRejectedClaim"), onSTS(registrymap.Principal{}), failure.Denied, "may not assume " + role + " with the web identity token: Not you", "let the role's trust policy name the token's issuer, audience and subject"},
		{"denied", ofECR("AccessDeniedException", "Not you"), onECR(400), failure.Denied, "ecr:GetAuthorizationToken is denied: Not you", "allow ecr:GetAuthorizationToken on resource * in a policy of that principal"},
		{"UnauthorizedOperation", ofECR("UnauthorizedOperation", "Not you"), onECR(400), failure.Denied, "ecr:GetAuthorizationToken is denied: Not you", "allow ecr:GetAuthorizationToken on resource * in a policy of that principal"},
		{"denied by public ECR", said("ECR PUBLIC", "GetAuthorizationToken", "AccessDeniedException", "Not you"), onECR(400), failure.Denied, "ecr-public:GetAuthorizationToken is denied: Not you", "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on resource *"},
		{"unknown key", ofECR("UnrecognizedClientException", "x"), onECR(400), failure.Denied, ecrHost + " doesn't know the access key (UnrecognizedClientException); it comes from: profile ci", "see whether the key was deleted, or its session token is missing or of another key"},
		{"InvalidClientTokenId", ofECR("InvalidClientTokenId", "x"), onECR(400), failure.Denied, ecrHost + " doesn't know the access key (InvalidClientTokenId); it comes from: profile ci", "see whether the key was deleted, or its session token is missing or of another key"},
		{"InvalidAccessKeyId", ofECR("InvalidAccessKeyId", "x"), onECR(400), failure.Denied, ecrHost + " doesn't know the access key (InvalidAccessKeyId); it comes from: profile ci", "see whether the key was deleted, or its session token is missing or of another key"},
		{"AuthFailure", ofECR("AuthFailure", "x"), onECR(400), failure.Denied, ecrHost + " doesn't know the access key (AuthFailure); it comes from: profile ci", "see whether the key was deleted, or its session token is missing or of another key"},
		{"another region", ofECR("InvalidSignatureException", otherRegion), onECR(400), failure.Misconfigured, ecrHost + " is of another region than the one that was signed for (InvalidSignatureException): " + otherRegion, "correct the region, or the endpoint that AWS_ENDPOINT_URL… or endpoint_url names"},
		{"STS is off", said("STS", "AssumeRole", "RegionDisabledException", "Not here"), onSTS(registrymap.Principal{}), failure.Denied, "sts.eu-west-1.amazonaws.com refuses sts:AssumeRole: RegionDisabledException: Not here", "activate STS for that region in the account settings of IAM, or set AWS_REGION to a region in which it is active"},
		{"clock", ofECR("RequestTimeTooSkewed", "x"), onECR(400), failure.Unavailable, "the clock here is too far from that of " + ecrHost + " (RequestTimeTooSkewed)", "set the clock"},
		{"clock behind", ofECR("InvalidSignatureException", "Signature expired: 1"), onECR(400), failure.Unavailable, "the clock here is too far from that of " + ecrHost + " (InvalidSignatureException)", "set the clock"},
		{"clock ahead", ofECR("InvalidSignatureException", "Signature not yet current: 1"), onECR(400), failure.Unavailable, "the clock here is too far from that of " + ecrHost + " (InvalidSignatureException)", "set the clock"},
		{"wrong secret", ofECR("SignatureDoesNotMatch", "x"), onECR(400), failure.Denied, ecrHost + " refuses the signature (SignatureDoesNotMatch); the keys come from: profile ci", "see whether the secret key is right, and the clock"},
		{"a code nobody knows", ofECR("Odd", "{host} is odd"), onECR(400), failure.Unavailable, ecrHost + " refuses ecr:GetAuthorizationToken: Odd: {host} is odd", ""},
		{"not AWS", ofECR("UnknownError", ""), onECR(404), failure.Unavailable, ecrHost + " gave an answer that is of no use (status 404): GetAuthorizationToken failed", "see whether a proxy or portal answers in its place"},
		{"not AWS's form", operation("ECR", "GetAuthorizationToken", &smithy.DeserializationError{Err: io.ErrNoProgress}), onECR(200), failure.Unavailable, ecrHost + " gave an answer that is of no use (status 200): it isn't what AWS sends", "see whether a proxy or portal answers in its place"},
		{"not a token", errors.New("the token isn't base64"), onECR(200), failure.Unavailable, ecrHost + " gave an answer that is of no use (status 200): the token isn't base64", "see whether a proxy or portal answers in its place"},
		{"the failing call is the inner one", operation("ECR", "GetAuthorizationToken", said("STS", "AssumeRole", "AccessDenied", "Not you")), onSTS(registrymap.Principal{}), failure.Denied, "may not assume " + role + ": Not you", "let the role's trust policy name that principal, and the principal's own policy allow sts:AssumeRole on the role"},

		// The network.
		{"proxy refuses", sent(&ProxyError{"proxy:3128", 403}), onECR(0), failure.Unavailable, "the proxy proxy:3128 answered 403 Forbidden to a connection to " + ecrHost, "see HTTPS_PROXY and NO_PROXY, and whether the proxy allows that host"},
		{"proxy wants a password", sent(&ProxyError{"proxy:3128", 407}), onECR(0), failure.Unavailable, "the proxy proxy:3128 answered 407 Proxy Authentication Required to a connection to " + ecrHost, "put the proxy's user and password into HTTPS_PROXY"},
		{"proxy can't reach it", sent(&ProxyError{"proxy:3128", 502}), onECR(0), failure.Unavailable, "the proxy proxy:3128 answered 502 Bad Gateway to a connection to " + ecrHost, "see whether the region is right and the proxy reaches that host"},
		{"proxy can't reach FIPS", sent(&ProxyError{"proxy:3128", 502}), onFIPS, failure.Unavailable, "the proxy proxy:3128 answered 502 Bad Gateway to a connection to " + onFIPS.Last.Host, fips},
		{"unknown CA", sent(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), onECR(0), failure.Unavailable, "the certificate of " + ecrHost + " is signed by an authority that isn't trusted here", "put CA certificates into the image, or set AWS_CA_BUNDLE to your proxy's"},
		{"another's certificate", sent(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}), onECR(0), failure.Unavailable, "the certificate that " + ecrHost + " shows is not its own", "see whether a proxy or portal answers in its place"},
		{"expired certificate", sent(x509.CertificateInvalidError{Reason: x509.Expired}), onECR(0), failure.Unavailable, "the certificate of " + ecrHost + " can't be used: it has expired or isn't valid yet", "see whether the clock is right"},
		{"another certificate", sent(x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}), onECR(0), failure.Unavailable, "the certificate of " + ecrHost + " can't be used: it isn't valid for this use", "see whether the clock is right"},
		{"no TLS", sent(tls.RecordHeaderError{Msg: "x"}), onECR(0), failure.Unavailable, ecrHost + " does not speak TLS as AWS does", "see whether a proxy answers in its place, or the endpoint ought to begin with http://"},
		{"TLS alert", sent(tls.AlertError(40)), onECR(0), failure.Unavailable, ecrHost + " does not speak TLS as AWS does", "see whether a proxy answers in its place, or the endpoint ought to begin with http://"},
		{"http", sent(http.ErrSchemeMismatch), onECR(0), failure.Unavailable, ecrHost + " does not speak TLS as AWS does", "see whether a proxy answers in its place, or the endpoint ought to begin with http://"},
		{"proxy is absent", sent(&net.OpError{Op: "proxyconnect", Err: dial(&net.DNSError{Name: "proxy"})}), onECR(0), failure.Unavailable, "the proxy can't be reached for " + ecrHost + ": the name proxy can't be resolved", "see HTTPS_PROXY"},
		{"proxy is down", sent(&net.OpError{Op: "proxyconnect", Err: dial(refused)}), onECR(0), failure.Unavailable, "the proxy can't be reached for " + ecrHost + ": connection refused", "see HTTPS_PROXY"},
		{"no such name", sent(dial(&net.DNSError{Name: ecrHost, IsNotFound: true})), onECR(0), failure.Unavailable, "the name " + ecrHost + " can't be resolved", setRegion},
		{"no such FIPS name", sent(dial(&net.DNSError{Name: onFIPS.Last.Host, IsNotFound: true})), onFIPS, failure.Unavailable, "the name " + onFIPS.Last.Host + " can't be resolved", fips},
		{"DNS is silent", sent(dial(&net.DNSError{Name: ecrHost, IsTimeout: true})), onECR(0), failure.Timeout, ecrHost + " gave no answer in time", setTime},
		{"silent", deadline, onECR(0), failure.Timeout, ecrHost + " gave no answer in time", setTime},
		{"called off", sent(context.Canceled), onECR(0), failure.Timeout, ecrHost + " gave no answer in time", setTime},
		{"silent to the end", deadline, onECR(503), failure.Timeout, ecrHost + " answered 503 until there was no time left", "try again"},
		{"throttled to the end", deadline, with(onECR(400), func(f *Facts) { f.Last.Code = "Throttling" }), failure.Timeout, ecrHost + " answered 400 (Throttling) until there was no time left", "try again"},
		{"no time", context.DeadlineExceeded, with(onECR(0), func(f *Facts) { f.Last = Call{} }), failure.Timeout, "there was no time left to ask AWS", "AWS_ECR_TIMEOUT sets another time"},
		{"refused", errNoConnection, onECR(0), failure.Unavailable, "the connection to " + ecrHost + " failed: connection refused", firewall},
		{"reset", sent(os.NewSyscallError("read", syscall.ECONNRESET)), onECR(0), failure.Unavailable, "the connection to " + ecrHost + " failed: connection reset by peer", firewall},
		{"closed", sent(io.EOF), onECR(0), failure.Unavailable, "the connection to " + ecrHost + " failed: it was closed", firewall},

		// The instance metadata service.
		{"turned off", ofMetadata(errors.New("access disabled")), with(onECR(0), func(f *Facts) { f.Last = Call{} }), failure.Misconfigured, noKeys + "the instance metadata service is turned off (AWS_EC2_METADATA_DISABLED)", setKeys + ", or mount ~/.aws"},
		{"no session token", ofMetadata(io.EOF), onMachine(metadata, 401), failure.Unavailable, noKeys + "the instance metadata service wants a session token (401), which did not come through", hopLimit},
		{"no role", ofMetadata(io.EOF), onMachine(metadata, 404), failure.Denied, noKeys + "the instance has no role", "attach an instance profile, or " + setKeys},
		{"no use", ofMetadata(io.EOF), onMachine(metadata, 200), failure.Unavailable, noKeys + "the instance metadata service at 169.254.169.254 gave none that can be used", "see whether the instance's role is still there"},
		{"500 of metadata", ofMetadata(io.EOF), onMachine(metadata, 500), failure.Unavailable, noKeys + "the instance metadata service at 169.254.169.254 answered 500", "try again; if it stays so, look at the instance's metadata options"},
		{"silent metadata", ofMetadata(context.DeadlineExceeded), onMachine(metadata, 0), failure.Timeout, noKeys + "the instance metadata service at 169.254.169.254 is silent", setKeys + ", or mount ~/.aws; " + hopLimit},
		{"no metadata", ofMetadata(dial(refused)), onMachine(metadata, 0), failure.Misconfigured, noKeys + "the instance metadata service at 169.254.169.254 can't be reached", setKeys + ", or mount ~/.aws; " + hopLimit},
		{"no time for metadata", context.DeadlineExceeded, onMachine(metadata, 0), failure.Timeout, noKeys + "the instance metadata service at 169.254.169.254 is silent", setKeys + ", or mount ~/.aws; " + hopLimit},
		{"hidden files", ofMetadata(io.EOF), with(onMachine(metadata, 404), func(f *Facts) { f.HiddenFiles = []string{"/a", "/b"} }), failure.Denied, "no credentials in the environment or what can be seen of the AWS configuration (not /a, /b, as this user can't read a directory above it), and the instance has no role", "attach an instance profile, or " + setKeys},
		{"a profile of the map", ofMetadata(io.EOF), with(onMachine(metadata, 404), func(f *Facts) { f.Principal = mapped }), failure.Denied, entry + `: profile "prod" has no credentials, and the instance has no role`, "attach an instance profile, or give the profile credentials"},
		{"metadata by name", ofMetadata(io.EOF), with(onMachine(metadata, 404), func(f *Facts) { f.NamesMetadata = true }), failure.Denied, "no credentials: the instance has no role", "attach an instance profile, or " + setKeys},

		// The container credentials endpoint.
		{"500 of a container", io.EOF, onMachine(container, 500), failure.Unavailable, "no credentials: the container credentials endpoint 169.254.170.2 answered 500", "try again"},
		{"429 of a container", io.EOF, onMachine(container, 429), failure.Unavailable, "no credentials: the container credentials endpoint 169.254.170.2 answered 429", "try again"},
		{"401 of a container", io.EOF, onMachine(container, 401), failure.Denied, "no credentials: the container credentials endpoint 169.254.170.2 refuses (401)", containerFix},
		{"403 of a container", io.EOF, onMachine(container, 403), failure.Denied, "no credentials: the container credentials endpoint 169.254.170.2 refuses (403)", containerFix},
		{"404 of a container", io.EOF, onMachine(container, 404), failure.Unavailable, "no credentials: the container credentials endpoint 169.254.170.2 answered 404", containerFix},
		{"200 of a container", io.EOF, onMachine(container, 200), failure.Unavailable, "no credentials: the container credentials endpoint 169.254.170.2 gave no credentials", containerFix},
		{"silent container", context.DeadlineExceeded, onMachine(container, 0), failure.Timeout, "no credentials: the container credentials endpoint 169.254.170.2 is silent", containerFix},
		{"no container", dial(refused), onMachine(container, 0), failure.Unavailable, "no credentials: the container credentials endpoint 169.254.170.2 can't be reached", containerFix},

		// Logins.
		{"nobody is logged in", errors.New("x"), onLogin("", 0, file), failure.Expired, "nobody is logged in for profile dev: there is no " + file, "run: aws sso login --profile dev"},
		{"the login has ended", errors.New("x"), onLogin("", 0, "/"), failure.Expired, "the login for profile dev has ended", "run: aws sso login --profile dev"},
		{"the login is refused", said("SSO", "GetRoleCredentials", "UnauthorizedException", "x"), onLogin("SSO", 401, "/"), failure.Expired, "the login for profile dev has ended", "run: aws sso login --profile dev"},
		{"the refresh is refused", said("SSO OIDC", "CreateToken", "InvalidGrantException", "x"), onLogin("SSO OIDC", 400, "/"), failure.Expired, "the login for profile dev has ended", "run: aws sso login --profile dev"},
		{"the role is refused", said("SSO", "GetRoleCredentials", "ForbiddenException", "x"), onLogin("SSO", 403, "/"), failure.Denied, "SSO refuses profile dev the role admin in account 111122223333", "ask for the role to be assigned, or choose another profile"},
		{"SSO is down", said("SSO", "GetRoleCredentials", "x", "x"), onLogin("SSO", 500, "/"), failure.Unavailable, "portal.sso.eu-west-1.amazonaws.com answered 500 to sso:GetRoleCredentials (x)", "try again; see the AWS health dashboard if it stays so"},
		{"what comes after the login", ofECR("ExpiredToken", "x"), with(onLogin("SSO", 401, "/"), func(f *Facts) { f.Last.Service = "ECR" }), failure.Expired, "the credentials have expired; they come from: profile ci", "get new ones"},

		// The configuration.
		{"no region", fmt.Errorf("x: %w", ErrNoRegion), onMachine(metadata, 404), failure.Misconfigured, "no region is configured, and the instance metadata service names none", "set AWS_REGION, or region in the profile"},
		{"no region, for the hop limit", ErrNoRegion, onMachine(metadata, 401), failure.Misconfigured, "no region is configured, and the instance metadata service names none, since it wants a session token (401), which did not come through", "set AWS_REGION, or region in the profile; or " + hopLimit},
		{"no token", ErrNoIdentityToken, onSTS(registrymap.Principal{RoleARN: role, WebIdentityTokenEnv: "CI_TOKEN"}), failure.Misconfigured, entry + ": " + role + " is to be assumed with the web identity token in CI_TOKEN, which is not set", "set it for the process that starts this helper"},
		{"no source profile", config.SharedConfigAssumeRoleError{Profile: "ci", RoleARN: role, Err: absent}, onECR(0), failure.Misconfigured, `profile "ci" names the source_profile "prod", which is not in /home/ci/.aws/config`, "add it, or let source_profile name one that is there"},
		{"no profile of the map", absent, with(onECR(0), func(f *Facts) { f.Principal = mapped }), failure.Misconfigured, entry + `: there is no profile "prod" in /home/ci/.aws/config`, "add it there, or name one that is there"},
		{"no profile", absent, onECR(0), failure.Misconfigured, `there is no profile "prod" in /home/ci/.aws/config`, "add it, or set AWS_PROFILE to one that is there"},
		{"a role on nothing", config.SharedConfigAssumeRoleError{Profile: "base", RoleARN: role, Err: errors.New("x")}, onECR(0), failure.Misconfigured, role + " is to be assumed with the credentials of profile base, which has none", "give that profile credentials, let source_profile name another, or set credential_source in its place"},
		{"no keys", &credentials.StaticCredentialsEmptyError{}, onECR(0), failure.Misconfigured, "the profile takes its credentials from the environment (credential_source = Environment), and there are none", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		{"MFA", config.AssumeRoleTokenProviderNotSetError{}, onECR(0), failure.Misconfigured, "the profile wants an MFA code (mfa_serial), and a credential helper has nobody to ask", "use a profile without mfa_serial, or SSO"},
		{"no file", &fs.PathError{Op: "open", Path: "/jwt", Err: syscall.ENOENT}, onECR(0), failure.Misconfigured, "the AWS configuration names /jwt, which can't be read: no such file or directory", "mount it, or mend what names it"},
		{"no file of the map", &fs.PathError{Op: "open", Path: "/jwt", Err: syscall.ENOENT}, with(onECR(0), func(f *Facts) { f.Principal.WebIdentityTokenFile = "/jwt" }), failure.Misconfigured, entry + " names /jwt, which can't be read: no such file or directory", "mount it, or mend what names it"},
		{"no token file", errors.New("x"), with(onECR(0), func(f *Facts) {
			f.Last, f.UnreadableToken = Call{}, &fs.PathError{Op: "open", Path: file, Err: syscall.ENOENT}
		}), failure.Misconfigured, "the AWS configuration names " + file + ", which can't be read: no such file or directory", "mount it, or mend what names it"},
		{"a bad URL", &url.Error{Op: "parse", URL: "http://user:password@", Err: errors.New("x")}, with(onECR(0), func(f *Facts) { f.Last = Call{} }), failure.Misconfigured, "the AWS configuration can't be used: a URL in it can't be read", "mend the environment or the files it names"},
		{"anything else", errors.New("odd"), with(onECR(0), func(f *Facts) { f.Last = Call{} }), failure.Misconfigured, "the AWS configuration can't be used: odd", "mend the environment or the files it names"},
	}
}

func TestExplain(t *testing.T) {
	for _, c := range tests(t) {
		t.Run(c.name, func(t *testing.T) {
			if got := Explain(c.err, c.facts); !c.wants(got) {
				t.Errorf("got  %s: %s\n      %s\nwant %s: %s\n      %s", got.Kind, got.Reason, got.Hint, c.kind, c.reason, c.hint)
			}
		})
	}
}

func (c test) wants(got *failure.Failure) bool {
	return got.Kind == c.kind && got.Reason == c.reason && got.Hint == c.hint
}

// Without any one of its rows, a table explains some error otherwise.
func TestEveryRow(t *testing.T) {
	cases := tests(t)
	for name, table := range map[string]*[]row{
		"api": &apiTable, "network": &networkTable, "metadata": &metadataTable, "container": &containerTable,
	} {
		rows := *table
		for i, r := range rows {
			*table = slices.Delete(slices.Clone(rows), i, i+1)
			if !slices.ContainsFunc(cases, func(c test) bool { return !c.wants(Explain(c.err, c.facts)) }) {
				t.Errorf("%s: no error needs row %d, %q", name, i, r.reason)
			}
		}
		*table = rows
	}
}
