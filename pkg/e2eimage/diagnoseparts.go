package e2eimage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/internal/version"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// locks copies those that this host has: the suite's, or all where nobody said whose.
func (d *diagnosis) locks() {
	suite := d.in.Suite
	paths := []string{suite.LockFile(suite.Consumer)}
	if suite.Consumer == "" && suite.Lock == "" {
		paths, _ = filepath.Glob(filepath.Join(suite.LockDir, "*.lock.yaml")) // the pattern is good
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		switch {
		case path == "" || errors.Is(err, os.ErrNotExist):
		case err != nil:
			d.folder.Lack("lock", err)
		default:
			d.folder.Text(filepath.Base(path), string(text))
		}
	}
}

// records writes the ConfigMaps, and keeps the sets for what runs their images.
func (d *diagnosis) records(ctx context.Context) {
	sets, _, err := d.kube.setsAmong(ctx, d.in.Suite)
	if err != nil {
		d.folder.Lack("record", d.why(ctx, err))
		return
	}
	d.sets = sets
	for _, set := range sets {
		name := record.ConfigMapName(set.Consumer)
		configMap, err := d.kube.CoreV1().ConfigMaps(set.Namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			d.folder.Lack("record", d.why(ctx, err))
		default:
			configMap.ManagedFields, configMap.APIVersion, configMap.Kind = nil, "v1", "ConfigMap"
			d.folder.YAML(name+".yaml", configMap)
		}
	}
}

// status writes what Status says, as data and as a table.
func (d *diagnosis) status(ctx context.Context) error {
	result, err := d.client.status(ctx, StatusInput{Suite: d.in.Suite})
	if err != nil {
		return err
	}
	d.folder.JSON("status.json", result)
	var table bytes.Buffer
	writer := tabwriter.NewWriter(&table, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(writer, "NAME\tCONSUMER\tIMAGE\tIMAGE ID\tNODES\tRUNNING\tSTATE")
	for _, image := range result.Images {
		nodes := len(image.NodesWith)
		_, _ = fmt.Fprintf(writer, "%s\t%s\t%s\t%s\t%d/%d\t%d/%d\t%s\n", image.Name, image.Consumer, image.Image,
			image.ImageID, nodes, nodes+len(image.NodesWithout), image.Running, image.Wanted, image.State)
	}
	_ = writer.Flush() // to a buffer
	for _, image := range result.Images {
		for _, problem := range image.Explain() {
			table.WriteString("\n" + problem)
		}
	}
	d.folder.Text("status.txt", table.String()+"\n")
	return nil
}

// nodeImage and nodeContainer are what a node has, as its CRI lists it.
type nodeImage struct {
	ImageID string   `json:"imageID"`
	Names   []string `json:"names"`
	Digests []string `json:"digests,omitempty"`
}

type nodeContainer struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Image     string `json:"image,omitempty"`
	ImageID   string `json:"imageID"`
	Exited    bool   `json:"exited"`
	Created   string `json:"created"`
}

// nodes writes the images and containers of each node that answers.
func (d *diagnosis) nodes(ctx context.Context) error {
	cluster, err := d.client.find(ctx, d.in.Suite)
	if err != nil {
		return err
	}
	defer cluster.Close()
	states, err := cluster.ProbeUse(ctx)
	var failed kindnode.NodeErrors
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	for _, node := range sortedKeys(failed) {
		d.folder.Lack("node "+node, d.why(ctx, failed[node]))
	}
	for _, node := range sortedKeys(states) {
		images, containers := []nodeImage{}, []nodeContainer{}
		for _, image := range states[node].Images {
			images = append(images, nodeImage{image.ID, image.RepoTags, image.RepoDigests})
		}
		for _, one := range states[node].Containers {
			containers = append(containers, nodeContainer{
				one.ID, one.Namespace, one.Pod, one.Image, one.ImageRef, one.Exited, one.Created.UTC().Format(timeForm),
			})
		}
		slices.SortFunc(images, func(a, b nodeImage) int { return strings.Compare(a.ImageID, b.ImageID) })
		d.folder.JSON("nodes/"+node+"/images.json", images)
		d.folder.JSON("nodes/"+node+"/containers.json", containers)
	}
	return nil
}

// timeForm is how files of Diagnose write a time.
const timeForm = "2006-01-02T15:04:05.000Z"

// engines writes the versions of this program and of the host's engines.
func (d *diagnosis) engines(ctx context.Context) error {
	versions := map[string]any{"e2eimage": version.Read()}
	for _, one := range engine.Installed() {
		var out bytes.Buffer
		err := d.client.runner.Run(ctx, hostexec.Command{
			Argv: []string{one, "version", "--format", "{{json .}}"}, Stdout: &out,
		})
		switch {
		case err != nil:
			d.folder.Lack("version of "+one, d.why(ctx, err))
		case !json.Valid(out.Bytes()):
			d.folder.Lack("version of "+one, errors.New("its answer is no JSON"))
		default:
			versions[one] = json.RawMessage(out.Bytes())
		}
	}
	d.folder.JSON("versions.json", versions)
	return nil
}

// nodeVersions writes what Kubernetes says of its nodes.
func (d *diagnosis) nodeVersions(ctx context.Context) error {
	listed, err := d.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return kube.ExplainAPI("list nodes", err)
	}
	for i := range listed.Items {
		node := &listed.Items[i]
		node.ManagedFields, node.Status.Images, node.APIVersion, node.Kind = nil, nil, "v1", "Node"
		d.folder.YAML("nodes/"+node.Name+"/node.yaml", node)
	}
	return nil
}
