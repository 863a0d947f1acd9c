//go:build unix && !darwin && !freebsd && !netbsd

package atomicfile

import "syscall"

func ctime(s *syscall.Stat_t) syscall.Timespec { return s.Ctim }
