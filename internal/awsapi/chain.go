package awsapi

import (
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/sharedconfig"
	"docker-credential-ecr-login/internal/tokensource"
)

// chain is the SDK's credential chain for one request, loaded from the files
// and the environment that the identity was computed from.
type chain struct {
	request tokensource.Request
	files   identity.Files     // the AWS configuration, as messages name it
	texts   sharedconfig.Texts // the same, as the SDK gets it
	cfg     aws.Config
	// fromFiles is set if the SDK can't be given the texts, and reads the files.
	fromFiles bool
	// profiles are those from which the credentials come, from the one that was chosen to the one
	// that has the credentials, as the SDK has read them, and profileChain as the files have them.
	profiles     []*config.SharedConfig
	profileChain []sharedconfig.Profile
	// source is where the credentials come from, as read from the texts.
	source identity.Source
	// configured is the region that the environment or the profile names or, if neither does and
	// the principal's own registry is asked for, the instance.
	configured string
	steps      []aws.CredentialSource // of the chain, first to last
	requestLog requestLog
	// resolved are the credentials that the chain has retrieved and that no file or variable holds.
	resolved []aws.Credentials
	// roots returns the CA certificates to trust, or nil for the system's.
	roots func() *x509.CertPool

	connections               connections
	openedSTS, openedRegistry sync.Once
}

func newChain(q tokensource.Request) *chain {
	c := &chain{request: q, requestLog: requestLog{log: q.Log}, files: identity.FilesOf(q.Env, q.Home), texts: q.Shared}
	c.source = identity.SourceOf(q.Env, q.Shared.Profiles(), q.Principal)
	c.connections.ahead = func(string) {}
	c.roots = sync.OnceValue(func() *x509.CertPool { return mozillaRoots(q.Env) })
	return c
}

// load loads the configuration. It sends no request, unless the principal's own registry is wanted
// and no region is configured: then it asks the instance for one.
func (c *chain) load(ctx context.Context) error {
	q := c.request
	c.logSkipped()
	if name := q.Principal.WebIdentityTokenEnv; name != "" && q.Env.Get(name) == "" {
		return diagnose.ErrNoIdentityToken
	}
	var err error
	if c.configured, err = c.configuredRegion(); err != nil {
		return err
	}
	load := func(region string) error {
		err := c.loadWith(ctx, region)
		if err != nil && !c.source.FromProfile {
			// A profile that has no part in it must not prevent a token.
			c.texts = sharedconfig.Texts{}
			err = c.loadWith(ctx, region)
		}
		return err
	}
	if region := c.mainRegion(); region != "" {
		return load(region)
	}
	if err := load(""); err != nil {
		return err
	}
	instance, err := (&metadata{chain: c}).imds().GetRegion(ctx, &imds.GetRegionInput{})
	if err != nil || instance.Region == "" {
		c.requestLog.log.Debugf("no region is configured, and the instance names none")
		return diagnose.ErrNoRegion
	}
	c.requestLog.noteCall(diagnose.Call{}) // what comes next is the beginning
	c.configured = instance.Region
	return load(instance.Region)
}

// configuredRegion returns the region that the environment or the profile names, without blanks
// around it.
func (c *chain) configuredRegion() (string, error) {
	env := c.request.Env
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region := strings.TrimSpace(env.Get(name)); region != "" {
			return region, checkRegion(name, region)
		}
	}
	profile := identity.ProfileOf(env, c.request.Principal.Profile)
	region := strings.TrimSpace(c.texts.Profiles()[profile].Get("region"))
	return region, checkRegion("region of profile "+profile+" in "+c.fileNames(), region)
}

func checkRegion(what, region string) error {
	if strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return nil
	}
	return diagnose.Misconfigured("write it as in eu-west-1, without quotes", "invalid %s %q: not a region", what, region)
}

// mainRegion returns the region of all requests but that for the registry's token: the configured
// one if it is of the registry's partition, which knows nothing of the roles and keys of
// another; else the registry's. It is empty if there is neither.
func (c *chain) mainRegion() string {
	r := c.request.Registry
	if r == (registry.Registry{}) || c.configured != "" && registry.Partition(c.configured) == registry.Partition(r.TokenRegion()) {
		return c.configured
	}
	return r.TokenRegion()
}

// loadWith loads the configuration with a region or, if that is empty, with none.
func (c *chain) loadWith(ctx context.Context, region string) error {
	unquoted, hadQuotes := sharedconfig.Unquoted(c.texts.Config) // the SDK doesn't know quotes around a section's name
	configPaths, configCopy, err := c.pathOf(unquoted, c.files.Config, hadQuotes)
	if err != nil {
		return err
	}
	defer configCopy.Close()
	credentialsPaths, credentialsCopy, err := c.pathOf(c.texts.Credentials, c.files.Credentials, false)
	if err != nil {
		return err
	}
	defer credentialsCopy.Close()
	cfg, err := config.LoadDefaultConfig(ctx, slices.Concat(c.withPrincipal(), []func(*config.LoadOptions) error{
		config.WithRegion(region),
		config.WithSharedConfigFiles(configPaths),
		config.WithSharedCredentialsFiles(credentialsPaths),
		config.WithLogger(logging.Nop{}), // the SDK's own writes to stderr
		// "auto" would ask the metadata service while the configuration loads.
		config.WithDefaultsMode(aws.DefaultsModeLegacy),
		config.WithHTTPClient(c.proxied()),
		config.WithAPIOptions([]func(*middleware.Stack) error{c.requestLog.watch(false), PlainBody, c.connections.addTo}),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = &metadata{chain: c} }),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) {
			o.HTTPClient, o.APIOptions = c.direct(), c.machineOptions()
		}),
		config.WithSSOProviderOptions(func(o *ssocreds.Options) {
			// The SDK computes the file's name, but not below our home.
			if path, err := ssocreds.StandardCachedTokenFilepath(o.StartURL); err == nil {
				o.CachedTokenFilepath = c.ssoFile(path)
			}
		}),
		config.WithSSOTokenProviderOptions(func(o *ssocreds.SSOTokenProviderOptions) {
			o.CachedTokenFilepath = c.ssoFile(o.CachedTokenFilepath)
		}),
	})...)
	c.cfg, c.profiles = cfg, nil
	for _, source := range cfg.ConfigSources {
		if shared, ok := source.(config.SharedConfig); ok {
			for p := &shared; p != nil; p = p.Source {
				c.profiles = append(c.profiles, p)
			}
		}
	}
	c.connections.useFor(cfg, c.roots())
	if p, ok := cfg.Credentials.(aws.CredentialProviderSource); ok {
		c.steps = p.ProviderSources()
	}
	if c.request.Principal.RoleARN != "" {
		c.steps = append(c.steps, aws.CredentialSourceSTSAssumeRole)
	}
	return err
}

// lastProfile returns the profile that has the credentials, nil if none has.
func (c *chain) lastProfile() *config.SharedConfig {
	if len(c.profiles) == 0 {
		return nil
	}
	return c.profiles[len(c.profiles)-1]
}

// hasStep reports whether the SDK takes one of these steps on the way to the credentials.
func (c *chain) hasStep(steps ...aws.CredentialSource) bool {
	return slices.ContainsFunc(steps, func(step aws.CredentialSource) bool { return slices.Contains(c.steps, step) })
}

// tokenFiles returns the web identity files that the chain reads.
func (c *chain) tokenFiles() []string {
	var files []string
	if file := c.request.Principal.WebIdentityTokenFile; file != "" {
		files = append(files, file)
	}
	if c.hasStep(aws.CredentialSourceEnvVarsSTSWebIDToken) {
		files = append(files, c.request.Env.Get("AWS_WEB_IDENTITY_TOKEN_FILE"))
	}
	if p := c.lastProfile(); p != nil && c.hasStep(aws.CredentialSourceProfileSTSWebIDToken) {
		files = append(files, p.WebIdentityTokenFile)
	}
	return files
}

// used returns where the credentials come from, as the SDK reports it.
func (c *chain) used() identity.Used {
	return identity.Used{
		Metadata:   c.hasStep(aws.CredentialSourceIMDS),
		Container:  c.hasStep(aws.CredentialSourceHTTP) && !c.takesEnvironment(),
		Logins:     c.hasStep(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy, aws.CredentialSourceLogin),
		TokenFiles: c.tokenFiles(),
	}
}

// takesEnvironment reports whether a profile takes the keys of the environment, for which the SDK
// has no step of its own.
func (c *chain) takesEnvironment() bool {
	p := c.lastProfile()
	return p != nil && p.CredentialSource == "Environment" && !c.hasStep(aws.CredentialSourceEnvVars)
}

// principalMayChange reports whether the principal can become another one while
// everything that is read locally stays as it is: no role is assumed, and what
// gives the credentials may give others' next time.
func (c *chain) principalMayChange() bool {
	return len(c.steps) == 0 || slices.Contains([]aws.CredentialSource{
		aws.CredentialSourceIMDS, aws.CredentialSourceHTTP, aws.CredentialSourceProcess,
	}, c.steps[len(c.steps)-1])
}

// proxied returns the client for AWS itself; it uses a proxy if one is
// set, and reports when the proxy refuses. It limits each request: the SDK gets credentials
// without a deadline.
func (c *chain) proxied() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(tellProxyRefusal).WithTimeout(c.request.Timeout)
}

// direct returns the client for services on this machine, which no proxy is for.
func (c *chain) direct() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTransportOptions(func(t *http.Transport) {
			t.Proxy, t.IdleConnTimeout = nil, time.Second
			t.TLSClientConfig.RootCAs = c.roots()
		}).
		WithTimeout(c.request.Timeout)
}

// machineOptions returns the options of the clients for services on this machine.
func (c *chain) machineOptions() []func(*middleware.Stack) error {
	return []func(*middleware.Stack) error{c.requestLog.watch(true), PlainBody, c.connections.addToMachine}
}
