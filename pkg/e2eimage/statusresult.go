package e2eimage

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// State is how a record, nodes, workloads and this host agree.
type State string

// States, the worst first: an image has the worst that is true of it.
const (
	// StateTampered: annotation and evidence of the record disagree, or it cannot
	// be read.
	StateTampered State = "Tampered"
	// StateUnfinished: a run of tag or clean is under way, or was killed.
	StateUnfinished State = "Unfinished"
	// StateMissing: a node does not have the recorded image.
	StateMissing State = "MissingOnNodes"
	// StateDrifted: a workload is to run, or a pod runs, something else.
	StateDrifted State = "Drifted"
	// StateFailed: pods of a workload do not come up as things are, or a Job has failed; the
	// workload's Reason says why.
	StateFailed State = "Failed"
	// StateRolling: pods of a workload are still to come; Running and Wanted of the
	// image say how many.
	StateRolling State = "RollingOut"
	// StateStale: this host has something newer than what is recorded.
	StateStale State = "Stale"
	// StateOrphaned: a tag on nodes whose record is gone.
	StateOrphaned State = "Orphaned"
	// StateNotRunning: no workload uses the recorded image. Only Verify minds: what is
	// recorded may still have to be deployed.
	StateNotRunning State = "NotRunning"
	// StateConsistent: all of them agree.
	StateConsistent State = "Consistent"
)

// worst is the order of states.
func worst() []State {
	return []State{
		StateTampered, StateUnfinished, StateMissing, StateDrifted, StateFailed, StateRolling, StateStale, StateOrphaned,
		StateNotRunning, StateConsistent,
	}
}

// StatusResult is what is true of the images, by consumer and name.
type StatusResult struct {
	// Namespace that was looked at, "" for all.
	Namespace string        `json:"namespace"`
	Images    []ImageStatus `json:"images"`
	// Mend are the commands that mend all problems, in the order in which they have to
	// be run.
	Mend []string `json:"mend,omitempty"`
	// Unseen are kinds of workloads that may not be listed.
	Unseen []string `json:"unseen,omitempty"`
}

// ImageStatus is what is true of one image.
type ImageStatus struct {
	Name      string `json:"name"`
	Consumer  string `json:"consumer"`
	Namespace string `json:"namespace"`
	// Image is the recorded image, of this Repository and Tag.
	Image      string `json:"image"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	ImageID    string `json:"imageID,omitempty"`
	Source     string `json:"source,omitempty"`
	// Engine that the source came from.
	Engine   string       `json:"engine,omitempty"`
	Platform string       `json:"platform,omitempty"`
	By       string       `json:"by,omitempty"`
	Recorded *metav1.Time `json:"recorded,omitempty"`
	// Registry that nodes pull the image from, and the Digest by which they do; "" for one that is
	// on the nodes themselves.
	Registry string `json:"registry,omitempty"`
	Digest   string `json:"digest,omitempty"`
	// NodesWith have the recorded image; NodesWithout do not. Of an image that is pulled they name
	// its registry, as "registry HOST/PATH".
	NodesWith    []string `json:"nodesWith"`
	NodesWithout []string `json:"nodesWithout,omitempty"`
	// Disk is what the blobs of the image take on each node that has its content.
	Disk      []NodeDisk       `json:"disk,omitempty"`
	Workloads []WorkloadStatus `json:"workloads"`
	// Running pods of all its workloads run the recorded image, of so many Wanted.
	Running  int       `json:"running"`
	Wanted   int       `json:"wanted"`
	State    State     `json:"state"`
	Problems []Problem `json:"problems,omitempty"`
}

// NodeDisk is what the blobs of an image take on a node in bytes: config, layers and
// manifests, as they are stored. Unpacked layers, which take about as much again, are not
// counted.
type NodeDisk struct {
	Node      string `json:"node"`
	BlobBytes int64  `json:"blobBytes"`
	// UnsharedBlobBytes of them are of no other image of the node.
	UnsharedBlobBytes int64 `json:"unsharedBlobBytes"`
}

// Explain says each problem of the image.
func (s ImageStatus) Explain() []string {
	of := s.Name
	if s.Consumer != "" {
		of += " (" + s.Consumer + ")"
	}
	var said []string
	for _, problem := range s.Problems {
		said = append(said, fmt.Sprintf("%s: %s: %s", of, problem.State, problem.Text))
	}
	return said
}

// WorkloadStatus is a workload that uses an image.
type WorkloadStatus struct {
	Name string `json:"name"`
	// Namespace, where it is not that of the record.
	Namespace string `json:"namespace,omitempty"`
	// Phase of a Job: Complete, Failed, Suspended or Running; Scheduled of a CronJob.
	Phase string `json:"phase,omitempty"`
	// Running pods run the recorded image, by its ID; Wanted are there to be, 0
	// where that is not said.
	Running int `json:"running"`
	Wanted  int `json:"wanted"`
	// Reason is what its pods say of why they are not ready, such as a crash, or how a Job
	// has failed.
	Reason string `json:"reason,omitempty"`
	// FailedJob is the name of a Job that has failed: it is the workload, or the last that
	// a CronJob has made.
	FailedJob string `json:"failedJob,omitempty"`
	// Pods that were seen to run it.
	Pods []string `json:"pods,omitempty"`
}

// Problem is one thing that does not agree. What mends it is said for all of them together.
type Problem struct {
	State State  `json:"state"`
	Text  string `json:"text"`
	// mend is a command, "" where time does.
	mend string
}
