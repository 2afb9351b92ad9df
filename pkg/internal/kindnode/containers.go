package kindnode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// psArgv asks for all containers of all Kind clusters as JSON. Docker's labels
// come as one comma-joined string unless the template picks them; podman's
// template has no machine-readable state, but its JSON does.
func psArgv(provider string) []string {
	format := "json"
	if provider == "docker" {
		format = fmt.Sprintf(`{"ID":{{json .ID}},"Name":{{json .Names}},"Cluster":{{json (.Label %q)}},"Role":{{json (.Label %q)}},"State":{{json .State}},"Image":{{json .Image}}}`,
			clusterLabel, roleLabel)
	}
	return []string{provider, "ps", "--all", "--no-trunc", "--filter", "label=" + clusterLabel, "--format", format}
}

type container struct {
	ID, Name, Cluster, Role, State, Image string
	// PID of its first process; docker ps does not tell.
	PID int
}

// checkContainers wants of each container what tells it apart.
func checkContainers(containers []container) error {
	for _, c := range containers {
		if c.ID == "" || c.Name == "" || c.Cluster == "" {
			return fmt.Errorf("a container with the ID %q, the name %q, and the cluster %q", c.ID, c.Name, c.Cluster)
		}
	}
	return nil
}

func parseContainers(provider string, out []byte) ([]container, error) {
	var containers []container
	if provider == "docker" {
		decoder := json.NewDecoder(bytes.NewReader(out))
		for {
			var c container
			if err := decoder.Decode(&c); errors.Is(err, io.EOF) {
				return containers, nil
			} else if err != nil {
				return nil, err
			}
			containers = append(containers, c)
		}
	}
	var listed []struct {
		ID     string `json:"Id"`
		Names  []string
		Labels map[string]string
		State  string
		Image  string
		PID    int `json:"Pid"`
	}
	if err := json.Unmarshal(out, &listed); err != nil {
		return nil, err
	}
	for _, c := range listed {
		containers = append(containers, container{
			ID: c.ID, Name: strings.Join(c.Names, ","), State: c.State, Image: c.Image, PID: c.PID,
			Cluster: c.Labels[clusterLabel], Role: c.Labels[roleLabel],
		})
	}
	return containers, nil
}
