// Package terminal shows on a terminal what a person waits for.
package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// delay is how long a person waits without a notice.
const delay = time.Second

// Notice is the line that says what the program waits for. The zero Notice shows nothing.
type Notice struct {
	to io.Writer // nil if there is no terminal

	mu    sync.Mutex
	timer *time.Timer
	shown bool
}

// NewNotice returns a notice that shows itself on the stream if that is a terminal.
func NewNotice(stream io.Writer) *Notice {
	if !IsTerminal(stream) {
		return &Notice{}
	}
	return &Notice{to: stream}
}

// For shows after a second what the program waits for from now on.
func (n *Notice) For(what string) {
	n.Done()
	if n.to == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timer = time.AfterFunc(delay, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.timer != nil {
			n.shown = true
			fmt.Fprintf(n.to, "%s …", what)
		}
	})
}

// Done removes the line.
func (n *Notice) Done() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.timer == nil {
		return
	}
	n.timer.Stop()
	n.timer = nil
	if n.shown {
		n.shown = false
		fmt.Fprint(n.to, "\r\x1b[K")
	}
}
