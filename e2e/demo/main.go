// Command demo shows the helper at its main job: a GitLab runner in one AWS
// account pulls an image from ECR in another. AWS is the stand-in; the helper,
// the clients, the registry and the TLS between them are real, and nothing
// leaves loopback.
//
// Every step checks what it shows. The first that isn't as it should be ends
// the demo with exit status 1.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	act := runDemo
	if len(os.Args) > 1 {
		// The demo runs itself as the clients, since those take their proxy,
		// authority and home from the environment of their process.
		act = func(ctx context.Context) error { return client(ctx, os.Args[1:]) }
	}
	err := act(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}
