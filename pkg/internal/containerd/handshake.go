package containerd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Handshake is what a node tells about itself before it is connected, as no API does.
type Handshake struct {
	// CA is the PEM of the cluster's certificate authority as the node has it.
	CA []byte
	// Machine as the kernel calls it, like x86_64.
	Machine string
	// Pulled are the kubelet's notes of images that it pulled itself, in JSON, one after
	// the other.
	Pulled []byte
	// network is the node's address, and two passwords; see connectByNetwork.
	network string
}

const (
	// maxHandshake bounds what a node tells before it is connected, in bytes.
	maxHandshake = 16 << 20
	// connected is the section that ends the handshake.
	connected = "connected"
)

// readHandshake reads what comes before the connection.
func readHandshake(from *bufio.Reader) (Handshake, error) {
	found, err := readSections(from)
	return Handshake{
		CA: found["ca"], Machine: strings.TrimSpace(string(found["machine"])), Pulled: found["pulled"],
		network: string(found["network"]),
	}, err
}

// readSections reads texts, each below its name.
func readSections(from *bufio.Reader) (map[string][]byte, error) {
	found := map[string][]byte{}
	name, size := "", 0
	var content bytes.Buffer
	for {
		line, err := from.ReadSlice('\n')
		if size += len(line); size > maxHandshake {
			return nil, fmt.Errorf("the node says more than %d bytes before it is connected", maxHandshake)
		}
		if next, is := bytes.CutPrefix(line, []byte("@@e2eimage ")); is && err == nil {
			if name != "" {
				found[name] = bytes.Clone(content.Bytes())
			}
			content.Reset()
			if name = string(bytes.TrimSpace(next)); name == connected {
				return found, nil
			}
			continue
		}
		content.Write(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}
