package kindnode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
)

const (
	// maxGreeting bounds what a node tells before it is connected, in bytes.
	maxGreeting = 16 << 20
	// connected is the section that ends the greeting.
	connected = "connected"
)

// readGreeting reads the sections that come before the connection.
func readGreeting(from *bufio.Reader) (map[string][]byte, error) {
	found := map[string][]byte{}
	name, size := "", 0
	var content bytes.Buffer
	for {
		line, err := from.ReadSlice('\n')
		if size += len(line); size > maxGreeting {
			return nil, fmt.Errorf("the node says more than %d bytes before it is connected", maxGreeting)
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
