// Command demo shows the main use of the helper: a GitLab runner in one AWS account pulls an image
// from ECR in another. AWS is the stand-in. The helper, the clients, the registry and the TLS
// between them are real, and nothing leaves loopback.
//
// Every step checks what it shows. The first step that fails ends the demo with exit status 1.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	run := runDemo
	if len(os.Args) > 1 {
		// The demo runs itself as the clients, because they take proxy, CA certificates and home
		// from the environment of their process.
		run = func(ctx context.Context) error { return client(ctx, os.Args[1:]) }
	}
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}
