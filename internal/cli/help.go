package cli

const usage = `docker-credential-ecr-login gives Docker and its kin the credentials for Amazon ECR.

Clients call it; name it in ~/.docker/config.json:
    {"credHelpers": {"111122223333.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login"}}

usage: docker-credential-ecr-login VERB
    get      read a registry host from stdin, print its credentials
    list     print the registries there are credentials for
    store    succeed for ECR hosts and keep nothing
    erase    read a registry host from stdin, forget its tokens
    version  print the version
    help     print this

environment:
    AWS_…                          as for every AWS tool: AWS_PROFILE, AWS_REGION, …
    AWS_ECR_CONFIG                 the registry map (~/.ecr/config.toml, /etc/ecr-login/config.toml)
    AWS_ECR_ROLE_ARN               the role for registries the map doesn't name
    AWS_ECR_FALLBACK               the helper for other hosts, such as pass
    AWS_ECR_CACHE_DIR              where tokens are kept (~/.ecr)
    AWS_ECR_DISABLE_CACHE          set to anything: keep none
    AWS_ECR_TIMEOUT                how long a verb may take (8s)
    AWS_ECR_ON_ERROR               fail: clients stop with the reason of a failure (not-found)
    AWS_ECR_IGNORE_CREDS_STORAGE   true: store and erase succeed for every host
    AWS_ECR_LOG_LEVEL              debug, info, warn or error: write a log
    AWS_ECR_LOG_FILE               where to (~/.ecr/log/ecr-login.log)`
