package identity

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// tick is longer than the steps in which file systems count the time of a change: Linux counts in
// ticks of its scheduler, of 10 ms at the most. A second change within a step can't be seen.
const tick = 20 * time.Millisecond

// Settled returns how long it takes until what changed last can be told from what changes next, zero
// if it can be told now. It is longest for an input that is being written at this moment: most
// programs empty a file before they write it.
func (id Identity) Settled(now time.Time) time.Duration {
	if since := now.Sub(id.Changed); since.Abs() < tick {
		return tick - since.Abs()
	}
	return 0
}

// Stamp tells files apart from what they were before, even if they became the same again.
type Stamp struct {
	// files holds for each file its device, inode, size and times, and those of links to it.
	files string
	// around holds those of the folder in which a file is missing: it may have come and gone, or
	// its neighbours have.
	around string
}

// Moved reports whether files have certainly changed since the stamp was taken, and whether one may
// have come and gone.
func (s Stamp) Moved(now Stamp) (certainly, perhaps bool) {
	return s.files != now.files, s.around != now.around
}

// String identifies the stamp.
func (s Stamp) String() string { return s.files + s.around }

// Stamp is that of the inputs, but for login files.
func (id Identity) Stamp() Stamp { return stampOf(id.files) }

// LoginStamp is that of the login files.
func (id Identity) LoginStamp() Stamp { return stampOf(id.loginFiles) }

func stampOf(files []string) Stamp {
	var found, around strings.Builder
	for _, file := range files {
		info, err := os.Stat(file)
		fmt.Fprintf(&found, "%q", file)
		if err == nil {
			found.WriteString(stamp(info))
		}
		isMissing := err != nil
		for at, last := file, ""; at != last; at, last = path.Dir(at), at {
			info, err := os.Lstat(at)
			switch {
			case err != nil:
				continue
			case info.Mode()&fs.ModeSymlink != 0:
				found.WriteString(stamp(info))
			case at != file:
				found.WriteString(inode(info))
			}
			if isMissing {
				around.WriteString(stamp(info))
				isMissing = false
			}
		}
	}
	return Stamp{found.String(), around.String()}
}

func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("%s/%d/%d/%d", inode(info), info.Size(), info.ModTime().UnixNano(), changeTime(info).UnixNano())
}
