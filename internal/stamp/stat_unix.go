//go:build unix

package stamp

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// inode returns what tells a file from all others that exist.
func inode(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" %d/%d", stat.Dev, stat.Ino)
}

// changeTime returns when a file, its mode or its name was last changed. No program can set it.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		changed := ctime(stat)
		return time.Unix(changed.Unix())
	}
	return info.ModTime()
}
