package cli

import (
	"context"
	"fmt"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/tokensource"
)

func whoamiCommand() command {
	return command{
		name:  "whoami",
		args:  "HOST",
		brief: "tell as whom AWS is asked for a registry",
		about: "Prints in one line the principal that a get for the registry would use, as AWS names it, and where its credentials come from. " +
			"AWS is asked each time, and no token is.",
		examples: []example{
			{"whoami 222222222222.dkr.ecr.ap-south-1.amazonaws.com", "as whom is that registry's token asked for?"},
		},
		takesHosts: true,
		run:        (*session).whoami,
	}
}

func (s *session) whoami(args []string) error {
	if len(args) != 1 {
		return mistakef("it takes one HOST")
	}
	resolver := s.load()
	target, err := resolver.Find(args[0])
	switch {
	case resolver.Err != nil:
		return resolver.Err
	case err != nil:
		return notECR(args[0])
	case target.Refusal != nil:
		return fmt.Errorf("%s: %w", target.Host, target.Refusal)
	}
	s.waitFor("asking AWS who this is")
	caller, err := callerOf(resolver.NewRequest(target))
	s.notice.Done()
	if err != nil {
		return fmt.Errorf("%s: %w", target.Host, err)
	}
	source := identity.Read(s.Env, resolver.Settings.Home, target.Principal).CredentialSource
	fmt.Fprintf(s.Stdout, "%s: %s (%s)\n", target.Host, caller.ARN, source)
	return nil
}

// callerOf asks AWS whose credentials a get would use.
func callerOf(request tokensource.Request) (awsapi.Caller, error) {
	ctx := context.Background()
	probe, err := awsapi.NewProbe(ctx, request)
	if err != nil {
		return awsapi.Caller{}, err
	}
	defer probe.Close()
	if err := probe.Credentials(ctx); err != nil {
		return awsapi.Caller{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	return probe.Caller(ctx)
}
