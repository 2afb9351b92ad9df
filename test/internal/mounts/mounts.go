// Package mounts removes folders into which something may be mounted: file
// system trees that debootstrap had /proc in, and the data of a Docker daemon.
// Nothing is ever deleted through a mount.
package mounts

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// RemoveAll removes a folder, and never what is mounted into it.
func RemoveAll(dir string) error {
	if err := UnmountBelow(dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// UnmountBelow unmounts everything below dir, the innermost first.
func UnmountBelow(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, point := range below(string(table), dir) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// below finds the mount points in a table that lists outer ones before inner
// ones.
func below(table, dir string) []string {
	var points []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) <= 4 {
			continue
		}
		if point := unescape(fields[4]); strings.HasPrefix(point, dir+"/") {
			points = append([]string{point}, points...)
		}
	}
	return points
}

// unescape undoes the kernel's way to write white space in the table.
func unescape(point string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(point)
}
