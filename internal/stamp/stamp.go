// Package stamp finds out whether files have changed, even if they became the same again, and
// whether they are being changed at this moment.
package stamp

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
)

const (
	// tick is longer than the steps in which file systems count the time of a change: Linux counts
	// in ticks of its scheduler, of 10 ms at the most. A second change within a step can't be seen.
	tick = 20 * time.Millisecond

	// emptyTime is how long a file that was just emptied counts as one that is being written: most
	// programs empty a file before they write it.
	emptyTime = 500 * time.Millisecond
)

// Settles returns the time from which on another change of a file would show.
func Settles(info fs.FileInfo) time.Time {
	changed := atomicfile.ChangeTime(info)
	if info.Mode().IsRegular() && info.Size() == 0 {
		return changed.Add(emptyTime)
	}
	return changed.Add(tick)
}

// Wait returns how long to wait for files that settle at a time, zero if they have settled. A time
// too far ahead is that of another clock: waiting for it would be in vain.
func Wait(settles, now time.Time) time.Duration {
	if wait := settles.Sub(now); 0 < wait && wait <= emptyTime {
		return wait
	}
	return 0
}

// Stamp identifies a state of files: for each its device, inode, size and times, and those of links
// to it.
type Stamp string

// Of returns the stamp of files, which may be absent.
func Of(files []string) Stamp {
	var found strings.Builder
	for _, file := range files {
		fmt.Fprintf(&found, "%q", file)
		if info, err := os.Stat(file); err == nil {
			found.WriteString(whole(info))
		}
		for at, last := file, ""; at != last; at, last = path.Dir(at), at {
			info, err := os.Lstat(at)
			switch {
			case err != nil:
			case info.Mode()&fs.ModeSymlink != 0:
				found.WriteString(whole(info))
			case at != file:
				found.WriteString(" " + atomicfile.FileID(info))
			}
		}
	}
	return Stamp(found.String())
}

func whole(info fs.FileInfo) string {
	return fmt.Sprintf(" %s/%d/%d/%d", atomicfile.FileID(info), info.Size(), info.ModTime().UnixNano(),
		atomicfile.ChangeTime(info).UnixNano())
}
