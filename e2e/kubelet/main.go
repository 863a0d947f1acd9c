// Command kubelet runs credential providers with the code of the kubelet, for several images at
// once:
//
//	kubelet [-token TOKEN -role ROLE] CONFIG BINDIR IMAGE...
//
// With a token, the images are those of a pod whose service account has the token and names the
// role. For each image with credentials it prints a line of image, user and password. The kubelet's
// log goes to stderr.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

func main() {
	token := flag.String("token", "", "the `token` of the pod's service account")
	role := flag.String("role", "", "the ARN of the role that the account names")
	flag.Parse()
	args := flag.Args()
	if len(args) < 3 {
		fail("usage: kubelet [-token TOKEN -role ROLE] CONFIG BINDIR IMAGE...")
	}
	tokenOf := func(string, string, *authentication.TokenRequest) (*authentication.TokenRequest, error) {
		return &authentication.TokenRequest{Status: authentication.TokenRequestStatus{Token: *token}}, nil
	}
	accountOf := func(namespace, name string) (*core.ServiceAccount, error) {
		return &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{
			Namespace: namespace, Name: name, UID: "1", Annotations: map[string]string{"eks.amazonaws.com/ecr-role-arn": *role},
		}}, nil
	}
	if err := plugin.RegisterCredentialProviderPlugins(args[0], args[1], tokenOf, accountOf); err != nil {
		fail(err)
	}
	account := ""
	if *token != "" {
		account = "cart"
	}
	var wg sync.WaitGroup
	for _, image := range args[2:] {
		wg.Go(func() {
			found, _ := plugin.NewExternalCredentialProviderDockerKeyring("shop", "pod", "2", account).Lookup(image)
			for _, auth := range found {
				fmt.Println(image, auth.Username, auth.Password)
			}
		})
	}
	wg.Wait()
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
