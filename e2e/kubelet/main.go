// Command kubelet asks credential providers for an image's credentials, by the code of the
// kubelet itself: kubelet CONFIG BINDIR IMAGE [TOKEN ROLE]. With a token the image is that of a
// pod whose service account has it and names the role. It prints a line of user and password
// for each answer, and the kubelet's log goes to stderr.
package main

import (
	"fmt"
	"os"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

func main() {
	args := os.Args[1:]
	if len(args) != 3 && len(args) != 5 {
		fail("usage: kubelet CONFIG BINDIR IMAGE [TOKEN ROLE]")
	}
	token := func(string, string, *authentication.TokenRequest) (*authentication.TokenRequest, error) {
		return &authentication.TokenRequest{Status: authentication.TokenRequestStatus{Token: args[3]}}, nil
	}
	account := func(namespace, name string) (*core.ServiceAccount, error) {
		return &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{
			Namespace: namespace, Name: name, UID: "1", Annotations: map[string]string{"eks.amazonaws.com/ecr-role-arn": args[4]},
		}}, nil
	}
	if err := plugin.RegisterCredentialProviderPlugins(args[0], args[1], token, account); err != nil {
		fail(err)
	}
	name := ""
	if len(args) == 5 {
		name = "cart"
	}
	found, _ := plugin.NewExternalCredentialProviderDockerKeyring("shop", "pod", "2", name).Lookup(args[2])
	for _, auth := range found {
		fmt.Println(auth.Username, auth.Password)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
