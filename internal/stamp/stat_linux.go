package stamp

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file, its mode or its name was last changed. No program can set it.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
