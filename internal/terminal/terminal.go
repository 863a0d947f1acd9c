// Package terminal shows what a person at a terminal wants to see and no program does.
package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Is tells whether something that is written to, or read from, is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// patience is how long a person waits without a word.
const delay = time.Second

// Notice is the line that tells what is being waited for. The zero Notice tells nothing.
type Notice struct {
	to io.Writer // nil where there is no terminal

	mu    sync.Mutex
	timer *time.Timer
	shown bool
}

// NewNotice returns one that shows itself on a stream, if that is a terminal.
func NewNotice(stream io.Writer) *Notice {
	if !IsTerminal(stream) {
		return &Notice{}
	}
	return &Notice{to: stream}
}

// For tells what is waited for from now on, once that takes long.
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

// Done takes the line away.
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
