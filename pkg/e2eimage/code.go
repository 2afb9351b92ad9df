package e2eimage

// Code says in a machine word what went wrong. Codes stay as they are from version to
// version; new ones may come. CodeOf finds that of an error.
type Code string

// What goes wrong with images, nodes and workloads.
const (
	// CodeNotRecorded says that nothing is recorded for an image, or not any more.
	CodeNotRecorded Code = "NotRecorded"
	// CodeNotLoaded says that nodes do not have an image that they are to have.
	CodeNotLoaded Code = "NotLoaded"
	// CodeStale says that there is something newer than what is recorded.
	CodeStale Code = "Stale"
	// CodeConflict says that a tag or name stands for other content, belongs to another
	// record or is being changed by another run.
	CodeConflict Code = "Conflict"
	// CodeTampered says that a record or lock was changed by hand, or cannot be read.
	CodeTampered Code = "Tampered"
	// CodeNewer says that a newer version of this module wrote the record or lock.
	CodeNewer Code = "Newer"
	// CodeWrongCluster says that API server and nodes are not of one cluster.
	CodeWrongCluster Code = "WrongCluster"
	// CodeNoCluster says that there is no such Kind cluster, or that none was named.
	CodeNoCluster Code = "NoCluster"
	// CodeNoResponse says that a node did not answer in time.
	CodeNoResponse Code = "NoResponse"
	// CodeRegistry says that a registry did not do what was asked of it.
	CodeRegistry Code = "Registry"
	// CodeSource says that an image cannot be had from where it is to come from.
	CodeSource Code = "Source"
	// CodeBuild says that a build failed.
	CodeBuild Code = "Build"
	// CodeRollout says that a workload is not rolled out; Error.Rollout has the details.
	CodeRollout Code = "Rollout"
	// CodeClaimed says that another consumer has deployed a workload.
	CodeClaimed Code = "Claimed"
	// CodeInUse says that something is left because it is in use; see InUseError.
	CodeInUse Code = "InUse"
	// CodeManifest says that images cannot be put into a manifest.
	CodeManifest Code = "Manifest"
)

// What kind of failure it is, where no other code says more.
const (
	// CodeUsage says that the input cannot be acted upon.
	CodeUsage Code = "Usage"
	// CodeInconsistent says that record, nodes and workloads do not agree; see
	// DisagreementError for what Verify finds.
	CodeInconsistent Code = "Inconsistent"
	// CodeTimeout says that something did not come true in time.
	CodeTimeout Code = "Timeout"
	// CodeInterrupted says that the caller's context was cancelled.
	CodeInterrupted Code = "Interrupted"
	// CodeFailed says that something else failed, such as a command or the network.
	CodeFailed Code = "Failed"
)

// Exit codes that a process ends with. The greater one is the graver.
const (
	exitFailed       = 1
	exitUsage        = 2
	exitInconsistent = 3
	exitTimeout      = 124
)

// exit is the exit code of a failure that has only this code: the one table of them. What
// InconsistentError, TimeoutError or UsageError have in them counts as graver.
func (c Code) exit() int {
	switch c {
	case CodeUsage:
		return exitUsage
	case CodeStale, CodeConflict, CodeTampered, CodeNewer, CodeWrongCluster, CodeClaimed, CodeInUse, CodeInconsistent:
		return exitInconsistent
	case CodeTimeout, CodeNoResponse:
		return exitTimeout
	case CodeNotRecorded, CodeNotLoaded, CodeNoCluster, CodeRegistry, CodeSource, CodeBuild, CodeRollout, CodeManifest,
		CodeInterrupted, CodeFailed:
	}
	return exitFailed
}

// isKind tells whether a code says only what kind of failure it is.
func (c Code) isKind() bool {
	switch c {
	case CodeUsage, CodeInconsistent, CodeTimeout, CodeInterrupted, CodeFailed:
		return true
	}
	return false
}

// CodeOf returns the code of an error: of the gravest finding in it. It is "" for nil and
// CodeFailed for an error that nothing is known of.
func CodeOf(err error) Code {
	if found := gravest(Errors(err)); found != nil {
		return found.Code
	}
	return ""
}

// ExitCode returns what a process ends with because of an error: 0 for nil, 2 for usage, 3
// for what does not agree, 124 for what did not come true in time, 1 for all else. The
// gravest finding decides. Of several rollouts it is the first, as they are ordered.
func ExitCode(err error) int { return exitOf(Errors(err)) }

func exitOf(found []*Error) int {
	exit, rolledOut := 0, false
	for _, one := range found {
		if one.Code != CodeRollout || !rolledOut {
			exit = max(exit, one.ExitCode())
		}
		rolledOut = rolledOut || one.Code == CodeRollout
	}
	return exit
}

// gravest is the finding that decides the exit code, one that says more than the kind of
// failure before others.
func gravest(found []*Error) *Error {
	exit := exitOf(found)
	var first *Error
	for _, one := range found {
		switch {
		case one.ExitCode() != exit:
		case !one.Code.isKind():
			return one
		case first == nil:
			first = one
		}
	}
	return first
}
