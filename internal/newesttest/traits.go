package newesttest

import "fmt"

// Origin is where the images of a world's suites come from.
type Origin string

// Where images come from.
const (
	// ByBuild: the product builds them, or the engine by itself.
	ByBuild Origin = "build"
	// ByCommand: the user's own command does, which leaves them under the source.
	ByCommand Origin = "command"
	// ByEngine: only the engine by itself.
	ByEngine Origin = "engine"
	// ByArchive: the source is an archive, which somebody replaces.
	ByArchive Origin = "archive"
	// ByPrebuilt: an archive takes the place of the build.
	ByPrebuilt Origin = "prebuilt"
	// ByNodes: nodes get them from elsewhere; this host never has them.
	ByNodes Origin = "nodes"
)

// Traits are what stays the same in a world.
type Traits struct {
	Origin Origin
	// Engine is podman, docker, or docker-containerd for docker with that store.
	Engine string
	// Nodes and Suites are how many there are.
	Nodes, Suites int
	// Shared: the suites have one source. OneFolder: their locks are side by side.
	// OneTree: they are built from the same files.
	Shared, OneFolder, OneTree bool
	// Locked: there are locks. Grouped: the images share a tag.
	Locked, Grouped bool
}

func (t Traits) String() string {
	text := fmt.Sprintf("images by %s, %s, %d nodes, %d suites", t.Origin, t.Engine, t.Nodes, t.Suites)
	for _, one := range []struct {
		is   bool
		text string
	}{
		{t.Shared, "one source"},
		{t.OneFolder, "one folder"},
		{t.OneTree, "one tree"},
		{t.Locked, "locks"},
		{t.Grouped, "a tagGroup"},
	} {
		if one.is {
			text += ", " + one.text
		}
	}
	return text
}
