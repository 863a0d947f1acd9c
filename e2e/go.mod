module docker-credential-ecr-login/e2e

go 1.26.8

replace docker-credential-ecr-login => ../

require docker-credential-ecr-login v0.0.0-00010101000000-000000000000

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
)
