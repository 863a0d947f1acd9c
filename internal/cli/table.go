package cli

import "fmt"

// table returns all commands, in the order of the help.
func table() []command {
	return []command{
		configureCommand(),
		doctorCommand(),
		whoamiCommand(),
		cacheCommand(),
		{
			name:  "get",
			brief: "read a registry's host from stdin, print its credentials",
			about: "The protocol's verb, for clients. For what Bazel sends, {\"uri\": URL}, it prints the headers of a request. Else it prints {\"ServerURL\", \"Username\", \"Secret\"}, where the secret is ECR's token; or \"credentials not found in native keychain\", " +
				"exits with 1, and tells the reason on stderr in one line.",
			examples: []example{{"get <<<222222222222.dkr.ecr.ap-south-1.amazonaws.com", "the token itself, which is a secret"}},
		},
		{
			name:  "list",
			brief: "print the registries there are credentials for",
			about: "The protocol's verb, for clients. It prints {\"https://HOST\": \"AWS\", …}: what the registry map names, the principal's own registry, and those with a token in the cache. " +
				"What is left out is told on stderr.",
		},
		{
			name:  "store",
			brief: "succeed for ECR's hosts, and keep nothing",
			about: "The protocol's verb, for clients: docker login calls it. What isn't for ECR goes to the fallback helper.",
		},
		{
			name:  "erase",
			brief: "read a registry's host from stdin, forget its tokens",
			about: "The protocol's verb, for clients: docker logout calls it. What isn't for ECR goes to the fallback helper.",
		},
		{
			name:  "kubelet",
			brief: "answer the kubelet of a Kubernetes node",
			about: "The verb of the kubelet's credential provider protocol: it reads a CredentialProviderRequest from stdin and prints a CredentialProviderResponse. " +
				"Where the kubelet sends a service account's token, the role that the account names, else AWS_ECR_ROLE_ARN, is assumed with it. " +
				"Under the name ecr-credential-provider, that of AWS's own, this is what the program does.",
		},
		{
			name:  "version",
			brief: "print the version",
			run: func(s *session, _ []string) error {
				fmt.Fprintln(s.Stdout, program, s.version)
				return nil
			},
		},
		helpCommand(),
		completionCommand(),
	}
}

// variables are the environment variables of this program.
var variables = []struct{ name, what string }{
	{"AWS_ECR_CONFIG", "the registry map (~/.ecr/config.toml, else /etc/ecr-login/config.toml)"},
	{"AWS_ECR_ROLE_ARN", "the role for registries that the map doesn't name"},
	{"AWS_ECR_FALLBACK", "the helper for other hosts, such as pass"},
	{"AWS_ECR_CACHE_DIR", "where tokens are kept (~/.ecr)"},
	{"AWS_ECR_DISABLE_CACHE", "set to anything: keep none"},
	{"AWS_ECR_TIMEOUT", "how long a verb may take (8s)"},
	{"AWS_ECR_ON_ERROR", "fail: clients stop with the reason of a failure (not-found)"},
	{"AWS_ECR_IGNORE_CREDS_STORAGE", "true: store and erase succeed for every host"},
	{"AWS_ECR_LOG_LEVEL", "debug, info, warn or error: write a log"},
	{"AWS_ECR_LOG_FILE", "where to (~/.ecr/log/ecr-login.log)"},
}
