// Package awstest is a small stand-in for AWS on loopback, for tests that
// drive the real AWS SDK, or a whole program linked with it, over real HTTP
// and TLS.
//
// A [Server] is four servers:
//
//   - a proxy ([Server.ProxyURL]) that answers CONNECT to any AWS service host
//     itself, with a certificate from its own authority ([Server.CAPEM]), so
//     that clients use the host names of every partition unchanged;
//   - the same services on plain HTTP ([Server.EndpointURL]), for
//     AWS_ENDPOINT_URL and its kin;
//   - EC2 instance metadata ([Server.MetadataURL]);
//   - container credentials ([Server.ContainerURL]).
//
// The services are STS (AssumeRole, AssumeRoleWithWebIdentity,
// GetCallerIdentity), ECR and ECR Public (GetAuthorizationToken), IAM Identity
// Center (GetRoleCredentials and the refresh of its access token) and the
// refresh of an "aws login" session. No request ever leaves the machine: a
// host the server does not know is answered 502.
//
// # What it checks
//
// Signed requests are verified as AWS verifies them: the key exists, its
// session has not expired, the session token is the one issued with it, the
// signature of the headers and body is right, was made within five minutes of
// the server's clock, and names the service and the region of the host. A role
// must exist, trust the caller and be given its external ID; a web identity
// token must carry the issuer, subject and audience the role asks for and not
// be expired. ECR tokens are unguessable, and the registry gate
// ([Server.RegistryGate]) accepts only those the server issued, for the region
// they were issued in, until they expire, from a principal that may read the
// registry's account. Errors have the shape, codes and wording of AWS.
//
// # What it does not
//
// There are no policies: whoever is known may do everything that [Server.Deny]
// does not forbid. Signatures of web identity tokens are not verified. The
// hosts are those of the SDK's rules: the proxy knows FIPS names in all regions
// of the USA and of Canada, though AWS lacks some of them. Query-string (presigned) and SigV4A signatures
// are not understood. Public registries are gated with Basic authentication;
// the token service of the real public.ecr.aws is not there. HTTP/2 is not
// offered. Request bodies are limited to 1 MiB; everything else a Server
// remembers grows with the requests made to it, so it is for tests, not for
// soak runs of days.
package awstest
