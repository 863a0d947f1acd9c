package awstest

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

var someRegions = []string{
	"us-east-1", "ap-southeast-3", "us-gov-west-1", "cn-north-1", "eusc-de-east-1",
	"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1",
}

// TestLocateKnowsTheSDKsEndpoints checks hosts that the SDK's own rules make.
func TestLocateKnowsTheSDKsEndpoints(t *testing.T) {
	ctx := context.Background()
	resolve := map[string]func(region string, fips, dual *bool) (smithyendpoints.Endpoint, error){
		"ecr": func(region string, fips, dual *bool) (smithyendpoints.Endpoint, error) {
			return ecr.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ecr.EndpointParameters{Region: &region, UseFIPS: fips, UseDualStack: dual})
		},
		"sts": func(region string, fips, dual *bool) (smithyendpoints.Endpoint, error) {
			return sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: &region, UseFIPS: fips, UseDualStack: dual, UseGlobalEndpoint: aws.Bool(false)})
		},
		"sso": func(region string, fips, dual *bool) (smithyendpoints.Endpoint, error) {
			return sso.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sso.EndpointParameters{Region: &region, UseFIPS: fips, UseDualStack: dual})
		},
		"sso-oidc": func(region string, fips, dual *bool) (smithyendpoints.Endpoint, error) {
			return ssooidc.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ssooidc.EndpointParameters{Region: &region, UseFIPS: fips, UseDualStack: dual})
		},
	}
	for service, endpoint := range resolve {
		for _, region := range someRegions {
			for _, fips := range []bool{false, true} {
				for _, dual := range []bool{false, true} {
					e, err := endpoint(region, &fips, &dual)
					if err != nil {
						continue // the partition has no such endpoint
					}
					at, ok := locate(e.URI.Host)
					if !ok || at.service != service || at.region != region {
						t.Errorf("%s is %+v, %v; want %s in %s", e.URI.Host, at, ok, service, region)
					}
				}
			}
		}
	}
	for _, dual := range []bool{false, true} {
		e, err := ecrpublic.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ecrpublic.EndpointParameters{Region: aws.String("us-east-1"), UseFIPS: aws.Bool(false), UseDualStack: &dual})
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := locate(e.URI.Host); !ok || at.service != "ecr-public" {
			t.Errorf("%s is %+v, %v", e.URI.Host, at, ok)
		}
	}
	for _, region := range someRegions {
		e, err := signin.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, signin.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false)})
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := locate(e.URI.Host); !ok || at.service != "signin" || at.region != region {
			t.Errorf("%s is %+v, %v", e.URI.Host, at, ok)
		}
	}
}

func TestLocate(t *testing.T) {
	for host, want := range map[string]string{
		"sts.amazonaws.com":                         "sts us-east-1",
		"ecr-fips.us-east-1.amazonaws.com":          "ecr us-east-1",
		"ecr.us-east-1.amazonaws.com":               "",
		"api.ecr.us-east-1.api.aws":                 "",
		"api.ecr.us-east-1.amazonaws.com.cn":        "",
		"api.ecr.us-gov-west-1.c2s.ic.gov":          "",
		"api.ecr-public.eu-west-1.amazonaws.com":    "",
		"api.ecr.nowhere.amazonaws.com":             "",
		"s3.us-east-1.amazonaws.com":                "",
		"amazonaws.com":                             "",
		"api.ecr.us-east-1.amazonaws.com.evil.test": "",
		"nowhere.signin.aws.amazon.com":             "",
	} {
		e, ok := locate(host)
		if got := strings.TrimSpace(e.service + " " + e.region); ok != (want != "") || ok && got != want {
			t.Errorf("%s is %q, %v; want %q", host, got, ok, want)
		}
	}
}

func TestParseRegistry(t *testing.T) {
	const account = "111111111111"
	for host, region := range map[string]string{
		account + ".dkr.ecr.eu-west-1.amazonaws.com":                "eu-west-1",
		account + ".dkr.ecr-fips.us-gov-east-1.amazonaws.com":       "us-gov-east-1",
		account + ".dkr-ecr.eu-west-1.on.aws":                       "eu-west-1",
		account + ".dkr-ecr-fips.us-west-2.on.aws":                  "us-west-2",
		account + ".dkr.ecr.cn-north-1.amazonaws.com.cn":            "cn-north-1",
		account + ".dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": "cn-north-1",
		account + ".dkr.ecr.eusc-de-east-1.amazonaws.eu":            "eusc-de-east-1",
		account + ".dkr.ecr.us-isob-east-1.sc2s.sgov.gov":           "us-isob-east-1",
	} {
		if got, ok := parseRegistry(host); !ok || got != (registry{account, region}) {
			t.Errorf("%s is %+v, %v", host, got, ok)
		}
	}
	for _, host := range []string{
		"11111111111.dkr.ecr.eu-west-1.amazonaws.com",
		account + ".dkr.ecr.eu-west-1.on.aws",
		account + ".dkr-ecr.eu-west-1.amazonaws.com",
		account + ".dkr.ecr.eu-west-1.amazonaws.com.cn",
		account + ".dkr-ecr.us-iso-east-1.",
		"docker.io",
	} {
		if got, ok := parseRegistry(host); ok {
			t.Errorf("%s is %+v", host, got)
		}
	}
}
