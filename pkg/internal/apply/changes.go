package apply

// Action is what was done to a workload, in kubectl's words.
type Action string

// What is done to a workload.
const (
	// Unchanged: image and policy were right already.
	Unchanged    Action = "unchanged"
	ImageUpdated Action = "image updated"
	Replaced     Action = "replaced"
	// Created and Configured are objects of manifests.
	Created    Action = "created"
	Configured Action = "configured"
)

// Change is what became of one workload.
type Change struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name      string
	Namespace string
	Action    Action
	// Generation of the workload afterwards.
	Generation int64
}
