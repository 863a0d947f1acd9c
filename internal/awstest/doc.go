// Package awstest provides a stand-in for AWS on loopback, as net/http/httptest provides HTTP
// servers. Tests run the real AWS SDK, or a whole program with it, against it, over real HTTP and
// TLS.
//
// A [Server] is four servers:
//
//   - a proxy ([Server.ProxyURL]) that answers CONNECT to any AWS service host itself, with a
//     certificate of its own CA ([Server.CAPEM]), so that clients use the host names of every
//     partition unchanged;
//   - the same services on plain HTTP ([Server.EndpointURL]), for AWS_ENDPOINT_URL and similar
//     variables;
//   - EC2 instance metadata ([Server.MetadataURL]);
//   - container credentials ([Server.ContainerURL]).
//
// The services are STS (AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity), ECR and ECR
// Public (GetAuthorizationToken), IAM Identity Center (GetRoleCredentials and the refresh of its
// access token) and the refresh of an "aws login" session. No request leaves the machine: the proxy
// answers 502 for a host that the server doesn't know.
//
// # What it checks
//
// It verifies signed requests as AWS does: the key exists, its session has not expired, the session
// token was issued with it, and the signature of the headers and body is right, was made within
// five minutes of the server's clock, and names the service and the region of the host. A role must
// exist, trust the caller and get its external ID. A web identity token must have the issuer,
// subject and audience that the role requires, and must not have expired. ECR tokens are
// unguessable. A registry with [Server.RegistryAuth] accepts only tokens that the server issued,
// for the region in which they were issued, until they expire, of a principal that may read the
// registry's account. Errors have the format, codes and wording of AWS.
//
// # What it does not check
//
// There are no policies: a known principal may do everything that [Server.Deny] does not forbid.
// Signatures of web identity tokens are not verified. The hosts are those of the SDK's rules: the
// proxy knows FIPS names in all regions of the USA and of Canada, though AWS has not all of them.
// Query-string (presigned) and SigV4A signatures are not supported. HTTP/2 is not offered. Request
// bodies are limited to 1 MiB. All other records of a Server grow with the number of requests, so
// it is for tests that take minutes, not days.
package awstest
