// Command podnetwork gives the pods of a test node addresses of their own and
// routes to the pods of the other nodes, once at boot. It stands in for a
// network plugin's daemon, which would be one more image: the last part of a
// node's address decides its pods' network, so that each node knows all others
// without asking.
package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
)

const (
	// device is what both docker and podman call a node's only interface.
	device = "eth0"
	config = "/etc/cni/net.d/10-ptp.conflist"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "podnetwork:", err)
		os.Exit(1)
	}
}

func run() error {
	out, err := exec.Command("ip", "-4", "-oneline", "address", "show", "dev", device, "scope", "global").Output()
	if err != nil {
		return fmt.Errorf("ask for the address of %s: %w", device, err)
	}
	node, err := address(string(out))
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte(conflist(node)), 0o644); err != nil {
		return err
	}
	ip := exec.Command("ip", "-batch", "-")
	ip.Stdin = strings.NewReader(routes(node))
	if text, err := ip.CombinedOutput(); err != nil {
		return fmt.Errorf("add routes: %w: %s", err, bytes.TrimSpace(text))
	}
	return nil
}

// address reads a line like "2: eth0 inet 10.89.0.4/24 brd …".
func address(line string) (netip.Prefix, error) {
	fields := strings.Fields(line)
	for i, field := range fields {
		if field == "inet" && i+1 < len(fields) {
			return netip.ParsePrefix(fields[i+1])
		}
	}
	return netip.Prefix{}, fmt.Errorf("%s has no IPv4 address: %q", device, line)
}

// podNetwork is the network of the pods on the node with this last part.
func podNetwork(last byte) string { return fmt.Sprintf("10.244.%d.0/24", last) }

// routes lead to every node that there can be among this one's neighbours.
func routes(node netip.Prefix) string {
	own := node.Addr().As4()
	var b strings.Builder
	for last := 1; last < 255; last++ {
		other := own
		other[3] = byte(last)
		to := netip.AddrFrom4(other)
		if to == node.Addr() || !node.Contains(to) {
			continue
		}
		fmt.Fprintf(&b, "route replace %s via %s dev %s\n", podNetwork(byte(last)), to, device)
	}
	return b.String()
}

func conflist(node netip.Prefix) string {
	return fmt.Sprintf(`{
  "cniVersion": "0.4.0",
  "name": "e2eimage",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": true,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "ranges": [[{"subnet": %q}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, podNetwork(node.Addr().As4()[3]))
}
