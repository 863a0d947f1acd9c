package main

import (
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// A setting says which images the machines pull, and as which principal.
type setting struct {
	name, about string
	// images are the images that a machine pulls. quota is how many requests a second ECR accepts
	// for them.
	images []string
	quota  int
	// credentials is the AWS credentials file of each machine, a path in the repository.
	credentials string
	// principal is the beginning of the ARN to which every token must belong.
	principal  string
	contenders []contender
}

// A contender is a program and the protocol by which it is run.
type contender struct {
	label, asked string
	client       func(programs) client
	// due returns when a machine's cache is to be renewed, by its clock. It is nil for the awslabs
	// helper, for which that depends on its keys.
	due func(*machine) (time.Duration, error)
}

const (
	ours    = "this helper"
	theirs  = "the peer"
	awsOwn  = "AWS's provider"
	byPull  = "`get`, each pull"
	byNodes = "the kubelet"

	shopRole = "arn:aws:iam::222222222222:role/shop"
)

// The registries, two images each, and their accounts.
var (
	accounts = []string{"222222222222", "333333333333", "444444444444"}

	private = func() (all []string) {
		for _, account := range accounts {
			host := account + ".dkr.ecr.ap-south-1.amazonaws.com"
			all = append(all, host+"/web:1.0", host+"/worker:1.0")
		}
		return all
	}()
	public = []string{
		"public.ecr.aws/a/web:1.0", "public.ecr.aws/a/worker:1.0", "public.ecr.aws/b/web:1.0",
		"public.ecr.aws/b/worker:1.0", "public.ecr.aws/c/web:1.0", "public.ecr.aws/c/worker:1.0",
	}
)

var shop = &serviceAccount{
	identity: awstest.WebIdentity{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:cart", Audience: "sts.amazonaws.com"},
	role:     shopRole,
}

// asNode are the contenders that pull as the instance's own role.
var asNode = []contender{
	{ours, byNodes, func(p programs) client { return kubelet(nil, p.helper, "kubelet") }, dueInMemory},
	{theirs, byPull, func(p programs) client { return docker(p.peer) }, nil},
	{awsOwn, byNodes, func(p programs) client { return kubelet(nil, p.provider) }, dueInMemory},
}

// quotaSetting is the setting of a start above the quota. Every program can run in it.
var quotaSetting = settings[1]

var settings = []setting{
	{
		name:        "a role of another account, assumed as the instance's role",
		about:       "the runner of [gitlab-runner.md](gitlab-runner.md)",
		images:      private,
		quota:       ecrQuota,
		credentials: "testdata/gitlab-runner/credentials",
		principal:   "arn:aws:sts::222222222222:assumed-role/pull/",
		contenders: []contender{
			{ours, byPull, func(p programs) client { return docker(p.helper) }, dueOnDisk},
			{theirs, byPull, func(p programs) client { return docker(p.peer) }, nil},
			{awsOwn, byNodes, func(p programs) client { return kubelet(nil, p.provider) }, dueInMemory},
		},
	},
	{
		name:       "the instance's own role",
		about:      "the node of [kubernetes.md](kubernetes.md)",
		images:     private,
		quota:      ecrQuota,
		principal:  "arn:aws:sts::111111111111:assumed-role/runner/",
		contenders: asNode,
	},
	{
		name:      "the role of a service account",
		about:     "the pods of one, on every node",
		images:    private,
		quota:     ecrQuota,
		principal: "arn:aws:sts::222222222222:assumed-role/shop/",
		contenders: []contender{
			{ours, byNodes, func(p programs) client { return kubelet(shop, p.helper, "kubelet") }, dueInMemory},
			{awsOwn, byNodes, func(p programs) client { return kubelet(shop, p.provider) }, dueInMemory},
		},
	},
	{
		name:       "the instance's own role, at public ECR",
		about:      "whose token spares the limits of anonymous pulls",
		images:     public,
		quota:      publicQuota,
		principal:  "arn:aws:sts::111111111111:assumed-role/runner/",
		contenders: asNode,
	},
}

// AWS's quotas, in requests a second of an account in a region, unless it was granted more:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html,
// https://docs.aws.amazon.com/AmazonECR/latest/public/public-service-quotas.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	ecrQuota    = 500
	publicQuota = 200
	stsQuota    = 600
)

// addPrincipals adds the principals of all settings to a server.
func addPrincipals(server *awstest.Server) {
	server.AddRole(awstest.Role{ARN: testenv.RunnerRole})
	server.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.RunnerRole}})
	server.AddRole(awstest.Role{ARN: shopRole, WebIdentity: &shop.identity})
	server.SetInstanceRole(testenv.RunnerRole)
	for _, account := range accounts {
		for _, role := range []string{testenv.RunnerRole, testenv.PullRole, shopRole} {
			server.Grant(account, role)
		}
	}
}
