// Package host finds out what this machine can do: its cgroups, its
// capabilities, its distribution. It changes nothing.
package host

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// CapSysResource is the number of CAP_SYS_RESOURCE. Sandboxes and some CI
// runners drop it even from root, and then nothing may raise a limit or lower
// an OOM score.
const CapSysResource = 24

// Facts is what the test cluster adapts to.
type Facts struct {
	// CgroupV1 is a machine without the unified cgroup hierarchy.
	CgroupV1 bool
	// SysResource says whether root here may have CAP_SYS_RESOURCE.
	SysResource bool
	// Root is effective user ID 0.
	Root bool
	// Distribution is ID of os-release: debian, ubuntu, …
	Distribution string
	// DebianLike: apt-get can install what is missing.
	DebianLike bool
	// NoFile and NProc are the hard limits of this process.
	NoFile, NProc uint64
}

// Look gathers the facts.
func Look() (Facts, error) {
	var f Facts
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	f.CgroupV1 = err != nil
	f.SysResource, err = HasCapability("self", CapSysResource)
	if err != nil {
		return f, err
	}
	f.Root = os.Geteuid() == 0
	release, err := os.ReadFile("/etc/os-release")
	if err == nil {
		f.Distribution, f.DebianLike = distribution(string(release))
	}
	const rlimitNProc = 6 // not in package syscall
	for which, into := range map[int]*uint64{syscall.RLIMIT_NOFILE: &f.NoFile, rlimitNProc: &f.NProc} {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(which, &limit); err != nil {
			return f, fmt.Errorf("read the limits of this process: %w", err)
		}
		*into = limit.Max
	}
	return f, nil
}

// HasCapability says whether a process ("self" or its ID) has the capability in
// its bounding set, which is all that its children can get.
func HasCapability(pid string, capability uint) (bool, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return false, fmt.Errorf("read capabilities: %w", err)
	}
	return boundingSetHas(string(status), capability)
}

func boundingSetHas(status string, capability uint) (bool, error) {
	for line := range strings.Lines(status) {
		hex, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		if err != nil {
			return false, fmt.Errorf("capability set %q: %w", strings.TrimSpace(hex), err)
		}
		return set&(1<<capability) != 0, nil
	}
	return false, fmt.Errorf("no CapBnd line in /proc/*/status")
}

func distribution(release string) (id string, debianLike bool) {
	scan := bufio.NewScanner(strings.NewReader(release))
	for scan.Scan() {
		key, value, _ := strings.Cut(scan.Text(), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			id = value
			debianLike = debianLike || value == "debian" || value == "ubuntu"
		case "ID_LIKE":
			for like := range strings.FieldsSeq(value) {
				debianLike = debianLike || like == "debian" || like == "ubuntu"
			}
		}
	}
	return id, debianLike
}
