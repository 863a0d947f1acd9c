// Command oracle prints the ARN of the principal whose credentials the AWS SDK finds by itself. Its
// arguments are what an entry of a registry map says.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	profile := flag.String("profile", "", "of the map")
	role := flag.String("role", "", "of the map")
	token := flag.String("token", "", "file of the map's web identity token")
	flag.Parse()
	arn, err := principal(context.Background(), *profile, *role, *token)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(arn)
}

func principal(ctx context.Context, profile, role, token string) (string, error) {
	options := []func(*config.LoadOptions) error{config.WithSharedConfigProfile(profile)}
	if token != "" {
		options = []func(*config.LoadOptions) error{config.WithCredentialsProvider(aws.AnonymousCredentials{})}
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil && token != "" { // a token needs no profile
		cfg, err = config.LoadDefaultConfig(ctx, append(options, config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}))...)
	}
	if err != nil {
		return "", err
	}
	client := sts.NewFromConfig(cfg)
	switch {
	case token != "":
		cfg.Credentials = stscreds.NewWebIdentityRoleProvider(client, role, stscreds.IdentityTokenFile(token))
	case role != "":
		cfg.Credentials = stscreds.NewAssumeRoleProvider(client, role)
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Arn), nil
}
