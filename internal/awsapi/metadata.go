package awsapi

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// metadata asks the instance metadata service, never through a proxy: there a
// proxy would choose the principal. The SDK wants it before the configuration is
// loaded, which names the service's endpoint; so the client is made when first asked.
type metadata struct {
	chain *chain
	// singleAttempt has it try everything once.
	singleAttempt bool

	once   sync.Once
	client *imds.Client
}

// GetMetadata serves the SDK's instance role provider.
func (m *metadata) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	return m.imds().GetMetadata(ctx, in, opts...)
}

func (m *metadata) imds() *imds.Client {
	m.once.Do(func() {
		cfg := m.chain.cfg.Copy()
		cfg.HTTPClient, cfg.APIOptions = m.chain.direct(), m.chain.machineOptions()
		timeout := m.chain.metadataTimeout()
		if timeout > 0 {
			// The SDK sets its own timeouts in a client that isn't frozen.
			cfg.HTTPClient = m.chain.direct().WithTimeout(timeout).Freeze()
		}
		m.client = imds.NewFromConfig(cfg, func(o *imds.Options) {
			o.DisableDefaultTimeout = timeout > 0
			if m.singleAttempt || !m.chain.request.OnInstance && !m.chain.namesMetadata() {
				// Most machines aren't EC2 instances: one try, of which the
				// SDK's limits for dialing and for the answer make a second.
				o.Retryer = aws.NopRetryer{}
			}
		})
	})
	return m.client
}

// metadataTimeout returns how long the metadata service may take to answer one request, or zero
// for the SDK's own limits: 0.25 s to connect and 0.5 s to answer. The variable holds seconds, as
// for the AWS CLI: https://docs.aws.amazon.com/cli/latest/topic/config-vars.html
func (c *chain) metadataTimeout() time.Duration {
	seconds, err := strconv.Atoi(c.request.Env.Get("AWS_METADATA_SERVICE_TIMEOUT"))
	if err != nil || seconds <= 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, c.request.Timeout)
}

// namesMetadata reports whether a profile asks for the metadata service by name,
// so that it is known to exist and gets the SDK's own retries.
func (c *chain) namesMetadata() bool {
	return slices.ContainsFunc(c.profiles, func(p *config.SharedConfig) bool {
		return p.CredentialSource == "Ec2InstanceMetadata"
	})
}

// metadataHost returns the host of the instance metadata service.
func (c *chain) metadataHost() string {
	for _, source := range c.cfg.ConfigSources {
		s, ok := source.(interface{ GetEC2IMDSEndpoint() (string, bool, error) })
		if !ok {
			continue
		}
		endpoint, found, _ := s.GetEC2IMDSEndpoint()
		if at, err := url.Parse(endpoint); found && err == nil {
			return at.Host
		}
	}
	return "169.254.169.254"
}

// containerHost returns the host of a container's credentials, empty if there is
// none. The SDK has its own address for a path alone.
func (c *chain) containerHost() string {
	if c.request.Env.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" {
		return "169.254.170.2"
	}
	full, err := url.Parse(c.request.Env.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
	if err != nil {
		return ""
	}
	return full.Host
}
