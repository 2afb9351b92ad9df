package newesttest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Step is one thing that somebody does. It draws nothing itself, so that a sequence
// without it is a sequence, too.
type Step struct {
	Do    Verb
	Suite int
	// Number tells edits apart; 0 is what was there first.
	Number int
	// Later: a while passes before it.
	Later bool
}

// Verb is what is done.
type Verb string

// What people do.
const (
	Edits             Verb = "edit"
	Builds            Verb = "build"
	BuildsExactly     Verb = "build --tag v1"
	BuildsPast        Verb = "build past the product"
	Loads             Verb = "load"
	LoadsAndLeaves    Verb = "load --release"
	Imports           Verb = "load past the product"
	Tags              Verb = "tag"
	TagsExactly       Verb = "tag --tag v1"
	TagsByLock        Verb = "tag --use=lock"
	TagsElsewhere     Verb = "tag in another folder"
	Deploys           Verb = "deploy"
	DeploysCluster    Verb = "deploy --use=cluster"
	DeploysElsewhere  Verb = "deploy in another folder"
	Ups               Verb = "up"
	UpsOnly           Verb = "up --skip-build"
	Verifies          Verb = "verify"
	VerifiesElsewhere Verb = "verify in another folder"
	LosesLock         Verb = "lose the lock"
)

// likely is how often each is drawn.
var likely = map[Verb]int{
	Edits: 10, Builds: 10, BuildsExactly: 3, BuildsPast: 9, Loads: 12, LoadsAndLeaves: 2, Imports: 5, Tags: 14,
	TagsExactly: 3, TagsByLock: 2, TagsElsewhere: 2,
	Deploys: 16, DeploysCluster: 2, DeploysElsewhere: 6, Ups: 6, UpsOnly: 3, Verifies: 6, VerifiesElsewhere: 4,
	LosesLock: 4,
}

// usual is what people do after that.
var usual = map[Verb]Verb{
	Edits: Builds, Builds: Loads, BuildsExactly: Loads, BuildsPast: Loads, Loads: Tags, LoadsAndLeaves: Tags,
	Imports: Tags, Tags: Deploys, TagsExactly: Deploys,
	TagsByLock: Deploys, TagsElsewhere: DeploysElsewhere, Deploys: Verifies, DeploysCluster: Verifies,
	DeploysElsewhere: VerifiesElsewhere,
	Ups:              Verifies, UpsOnly: Verifies, Verifies: Edits, VerifiesElsewhere: BuildsPast,
	LosesLock: DeploysElsewhere,
}

// Sequence is a world and what is done in it.
type Sequence struct {
	Traits
	Steps []Step
}

func (s Sequence) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", s.Traits)
	for i, one := range s.Steps {
		fmt.Fprintf(&text, "  %2d. %s\n", i+1, one)
	}
	return text.String()
}

func (s Step) String() string {
	text := fmt.Sprintf("suite %c: %s", 'a'+s.Suite, s.Do)
	if s.Do == Edits {
		text += fmt.Sprintf(" to v%d", s.Number)
	}
	if s.Later {
		text += ", a while later"
	}
	return text
}

// next is what people usually do after that, as far as their images' origin lets them.
func (t Traits) next(do Verb) Verb {
	switch next := usual[do]; {
	case next == Builds && (t.Origin == ByEngine || t.Origin == ByArchive || t.Origin == ByNodes):
		return BuildsPast
	case next == Loads && t.Origin == ByNodes:
		return Tags
	default:
		return next
	}
}

// Draw makes the sequence of a seed.
func Draw(seed uint64) Sequence {
	random := rand.New(rand.NewPCG(seed, 0))
	chance := func(of int) bool { return random.IntN(of) == 0 }
	origins := []Origin{ByBuild, ByBuild, ByBuild, ByEngine, ByEngine, ByCommand, ByArchive, ByPrebuilt, ByNodes}
	kinds := []string{"podman", "podman", "docker", "docker", "docker-containerd"}
	s := Sequence{Traits: Traits{
		Origin: origins[random.IntN(len(origins))], Engine: kinds[random.IntN(len(kinds))],
		Nodes: 1 + random.IntN(2), Suites: 1 + random.IntN(2), OneTree: chance(3), Locked: !chance(3), Grouped: chance(6),
	}}
	s.Shared, s.OneFolder = s.Suites > 1 && !chance(4), chance(2)
	if s.Origin == ByBuild || s.Origin == ByCommand || s.Origin == ByPrebuilt {
		s.Locked = true
	}
	var verbs []Verb
	for _, one := range slices.Sorted(maps.Keys(likely)) {
		verbs = append(verbs, slices.Repeat([]Verb{one}, likely[one])...)
	}
	for i := range 6 + random.IntN(10) {
		one := Step{Suite: random.IntN(s.Suites), Later: !chance(4), Number: i + 1}
		if chance(5) {
			// Somebody takes a change back.
			one.Number = random.IntN(i + 1)
		}
		one.Do = verbs[random.IntN(len(verbs))]
		if i > 0 && chance(2) {
			// Most people go on as is usual.
			one.Suite, one.Do = s.Steps[i-1].Suite, s.next(s.Steps[i-1].Do)
		}
		s.Steps = append(s.Steps, one)
	}
	return s
}
