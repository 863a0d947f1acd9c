package ecr_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"docker-credential-ecr-login/ecr"
)

// Tell one error from another.
func ExampleError() {
	os.Setenv("AWS_ECR_CONFIG", "/nowhere/map.toml")
	defer os.Unsetenv("AWS_ECR_CONFIG")
	var helper ecr.ECRHelper
	_, err := helper.Token(context.Background(), "111122223333.dkr.ecr.eu-west-1.amazonaws.com")
	var failure *ecr.Error
	if !errors.As(err, &failure) {
		return // a token, or another host than ECR's
	}
	switch failure.Kind {
	case ecr.Timeout, ecr.Unavailable:
		fmt.Println("try again later")
	case ecr.Denied, ecr.Expired, ecr.Misconfigured:
		fmt.Println(failure.Reason)
	}
	// Output: /nowhere/map.toml: there is no such file; AWS_ECR_CONFIG names it
}
