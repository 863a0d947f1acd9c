package terminal

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestNotice(t *testing.T) {
	for name, c := range map[string]struct {
		use  func(*Notice)
		want string
	}{
		"a short wait":      {func(n *Notice) { n.For("a"); time.Sleep(delay - 1); n.Done() }, ""},
		"a long wait":       {func(n *Notice) { n.For("a"); time.Sleep(delay + 1) }, "a …"},
		"its end":           {func(n *Notice) { n.For("a"); time.Sleep(delay + 1); n.Done(); n.Done() }, "a …\r\x1b[K"},
		"after the end":     {func(n *Notice) { n.For("a"); n.Done(); time.Sleep(time.Hour) }, ""},
		"two short waits":   {func(n *Notice) { n.For("a"); time.Sleep(delay - 1); n.For("b"); time.Sleep(delay - 1) }, ""},
		"two long waits":    {func(n *Notice) { n.For("a"); time.Sleep(2 * delay); n.For("b"); time.Sleep(2 * delay) }, "a …\r\x1b[Kb …"},
		"nothing to remove": {func(n *Notice) { n.Done() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := new(bytes.Buffer)
				n := &Notice{to: out}
				c.use(n)
				synctest.Wait()
				if got := out.String(); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
				n.Done()
			})
		})
	}
}

func TestNoNoticeWithoutATerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	synctest.Test(t, func(t *testing.T) {
		n := NewNotice(file)
		n.For("a")
		time.Sleep(time.Hour)
		n.Done()
	})
	if info, err := file.Stat(); err != nil || info.Size() > 0 || IsTerminal(file) || IsTerminal(new(bytes.Buffer)) {
		t.Errorf("a file is taken for a terminal: %v, %v", info, err)
	}
}
