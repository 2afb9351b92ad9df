package registry

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

const (
	nodesSide = "registry.nodes:5000/mirror"
	thePart   = "registry " + nodesSide
	dev       = nodesSide + "/datastorage:dev"
	recorded  = nodesSide + "/datastorage:suite-1"
	owner     = "ns.suite.datastorage"
)

// part is the registry of a server, which nodes reach by another name than this machine does.
func part(t *testing.T, server *server, asks Asks) *Part {
	t.Helper()
	asks.Platform = "linux/amd64"
	asks.Names = append(asks.Names, dev, recorded)
	part := NewPart(server.open(t), Choice{Push: server.host + "/dev", Pull: nodesSide}, asks)
	t.Cleanup(part.Close)
	return part
}

// load does what Load does with each store.
func load(t *testing.T, part *Part, built image, names ...images.Name) (images.Delivered, error) {
	t.Helper()
	// An engine's source has layers only.
	return loadFrom(t, part, struct{ ociimage.Source }{single(t, built)}, names...)
}

func loadFrom(t *testing.T, part *Part, source ociimage.Source, names ...images.Name) (images.Delivered, error) {
	t.Helper()
	states := must[images.States](t)(part.ProbeContent(t.Context()))
	known, _ := source.Image()
	lacking := states.NotWhole(known)
	if len(lacking) == 0 {
		return images.Delivered{}, part.GiveNames(t.Context(), states.Nodes(), known.ID.String(), names)
	}
	delivery := part.Deliver(t.Context(), images.Delivering{Parts: lacking, States: states, Known: known, Names: names})
	read, err := images.Read(t.Context(), source, delivery)
	if err != nil {
		delivery.Abort()
		return images.Delivered{}, err
	}
	done, err := delivery.Finish(t.Context(), read, names, nil)
	return done[part.Name()], err
}

func app(t *testing.T, version string) image {
	t.Helper()
	return image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", noise(1<<20, 3)), layer(t, "app", version)}}
}

func TestARegistryIsLoadedIntoAsANodeIs(t *testing.T) {
	t.Parallel()
	server := serve(t)
	states := must[images.States](t)(part(t, server, Asks{}).ProbeContent(t.Context()))
	if diff := cmp.Diff([]string{thePart}, states.Lacking(dev, app(t, "1").id(t).String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	done, err := load(t, part(t, server, Asks{}), app(t, "1"), images.Name{Text: dev})
	if err != nil || done.Layers != 2 || done.Sent != done.Bytes {
		t.Fatalf("%+v, %v", done, err)
	}
	// The same image is whole, and of another only the changed layer is missing.
	states = must[images.States](t)(part(t, server, Asks{}).ProbeContent(t.Context()))
	known, _ := single(t, app(t, "1")).Image()
	if !states.Everywhere(known.ID.String()) || len(states.NotWhole(known)) > 0 || states.Platform() != "linux/amd64" {
		t.Errorf("%+v", states)
	}
	changed, _ := single(t, app(t, "2")).Image()
	if diff := cmp.Diff([]digest.Digest{changed.DiffIDs[1]}, states[thePart].Missing(changed, states.KnowsLayer)); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	done, err = load(t, part(t, server, Asks{}), app(t, "2"), images.Name{Text: dev})
	if err != nil || done.Layers != 1 || done.Sent > 10_000 {
		t.Errorf("%+v, %v", done, err)
	}
	server.since()
	done, err = load(t, part(t, server, Asks{}), app(t, "2"), images.Name{Text: dev})
	if err != nil || done.Layers != 0 || server.pushes() != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	states = must[images.States](t)(part(t, server, Asks{}).Probe(t.Context()))
	if id := states[thePart].ID(dev); id != app(t, "2").id(t).String() {
		t.Errorf("%s is %s", dev, id)
	}
}

func TestARecordedNameIsNotLoadedOver(t *testing.T) {
	t.Parallel()
	server := serve(t)
	asks := Asks{Owners: map[string]string{dev: owner}}
	_, err := load(t, part(t, server, asks), app(t, "1"), images.Name{Text: dev})
	if taken := (*images.TakenError)(nil); !errors.As(err, &taken) || taken.Owner != owner {
		t.Errorf("it says %v", err)
	}
	if _, err := load(t, part(t, server, asks), app(t, "1"), images.Name{Text: dev, Owner: owner}); err != nil {
		t.Error(err)
	}
}

func TestANameElsewhereIsRefusedBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for _, name := range []string{"ghcr.io/team/app:dev", "registry.nodes:5000/other/app:dev"} {
		_, err := load(t, part(t, server, Asks{}), app(t, "1"), images.Name{Text: name})
		if err == nil || !strings.Contains(err.Error(), "is not in the registry "+nodesSide) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if pushed := server.pushes(); pushed > 0 {
		t.Errorf("%d blobs went", pushed)
	}
}

func TestTagsOfARegistryAreGivenAsThoseOfNodes(t *testing.T) {
	t.Parallel()
	server := serve(t)
	ids := map[string]digest.Digest{}
	for _, version := range []string{"1", "2"} {
		if _, err := load(t, part(t, server, Asks{}), app(t, version), images.Name{Text: nodesSide + "/datastorage:v" + version}); err != nil {
			t.Fatal(err)
		}
		ids[version] = app(t, version).id(t)
	}
	names := []string{nodesSide + "/datastorage:v1", nodesSide + "/datastorage:v2"}
	ours := map[string]string{recorded: owner}
	op := images.TagOp{Target: recorded, Owner: owner}
	for _, test := range []struct {
		name    string
		asks    Asks
		op      images.TagOp
		version string
		want    images.Tagged
	}{
		{"new", Asks{}, op, "1", images.Tagged{Added: true, ImageID: ids["1"].String(), Owner: owner}},
		{"there already", Asks{Owners: ours}, op, "1", images.Tagged{ImageID: ids["1"].String(), Owner: owner}},
		{"somebody's", Asks{}, op, "2", images.Tagged{ImageID: ids["1"].String()}},
		{"another record's", Asks{Owners: map[string]string{recorded: "x.y.z"}}, op, "2", images.Tagged{ImageID: ids["1"].String(), Owner: "x.y.z"}},
		{"its own, that does not move", Asks{Owners: ours}, op, "2", images.Tagged{ImageID: ids["1"].String(), Owner: owner}},
		{
			"its own, that moves",
			Asks{Owners: ours, Digests: map[string][]digest.Digest{recorded: {ids["1"]}}},
			images.TagOp{Target: recorded, Owner: owner, Move: true},
			"2",
			images.Tagged{Added: true, ImageID: ids["2"].String(), Owner: owner},
		},
		{
			"its own, that somebody moved",
			Asks{Owners: ours, Digests: map[string][]digest.Digest{recorded: {ids["1"]}}},
			images.TagOp{Target: recorded, Owner: owner, Move: true},
			"1",
			images.Tagged{ImageID: ids["2"].String(), Owner: owner},
		},
		{"goes back", Asks{Owners: ours}, images.TagOp{Target: recorded, Owner: owner, Back: true}, "1", images.Tagged{Added: true, ImageID: ids["1"].String(), Owner: owner}},
		{"nobody's does not go back", Asks{}, images.TagOp{Target: recorded, Owner: owner, Back: true}, "2", images.Tagged{ImageID: ids["1"].String()}},
		{"from another owner", Asks{Owners: map[string]string{recorded: "x.y.z"}}, images.TagOp{Target: recorded, Owner: owner, From: "x.y.z"}, "1", images.Tagged{ImageID: ids["1"].String(), Owner: owner}},
	} {
		test.asks.Names, test.op.ImageID, test.want.Target = names, ids[test.version].String(), recorded
		part := part(t, server, test.asks)
		must[images.States](t)(part.Probe(t.Context()))
		done, err := part.Tag(t.Context(), part.Names(), []images.TagOp{test.op})
		if diff := cmp.Diff(map[string][]images.Tagged{thePart: {test.want}}, done); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", test.name, err, diff)
		}
	}
	part := part(t, server, Asks{})
	_, err := part.Tag(t.Context(), part.Names(), []images.TagOp{{Target: recorded, Owner: owner, ImageID: "sha256:none"}})
	if gone := (*images.GoneError)(nil); !errors.As(err, &gone) {
		t.Errorf("it says %v", err)
	}
}

func TestATagHasToBeInTheRepositoryOfItsImage(t *testing.T) {
	t.Parallel()
	server := serve(t)
	loaded := part(t, server, Asks{})
	if _, err := load(t, loaded, app(t, "1"), images.Name{Text: dev}); err != nil {
		t.Fatal(err)
	}
	op := images.TagOp{Target: nodesSide + "/other:suite-1", Owner: owner, ImageID: app(t, "1").id(t).String()}
	_, err := loaded.Tag(t.Context(), loaded.Names(), []images.TagOp{op})
	if err == nil || !strings.Contains(err.Error(), nodesSide+"/datastorage, where the image is") {
		t.Errorf("it says %v", err)
	}
}

func TestTagsOfARegistryAreTakenAwayByTheirRecordOnly(t *testing.T) {
	t.Parallel()
	server := serve(t)
	loaded := part(t, server, Asks{})
	if _, err := load(t, loaded, app(t, "1"), images.Name{Text: dev}, images.Name{Text: recorded, Owner: owner}); err != nil {
		t.Fatal(err)
	}
	id := app(t, "1").id(t)
	says := map[string][]digest.Digest{recorded: {id}, dev: {id}}
	for _, test := range []struct {
		name string
		asks Asks
		op   images.UntagOp
		want bool
	}{
		{"nobody's", Asks{Digests: says}, images.UntagOp{Name: dev, Owner: owner}, false},
		{"another's", Asks{Digests: says, Owners: map[string]string{recorded: "x.y.z"}}, images.UntagOp{Name: recorded, Owner: owner}, false},
		{"something else by now", Asks{Digests: map[string][]digest.Digest{recorded: {digest.FromString("x")}}, Owners: map[string]string{recorded: owner}}, images.UntagOp{Name: recorded, Owner: owner}, false},
		{"its own", Asks{Digests: says, Owners: map[string]string{recorded: owner}}, images.UntagOp{Name: recorded, Owner: owner}, true},
		{"gone already", Asks{Digests: says, Owners: map[string]string{recorded: owner}}, images.UntagOp{Name: recorded, Owner: owner}, false},
	} {
		part := part(t, server, test.asks)
		must[images.States](t)(part.ProbeUse(t.Context()))
		done, err := part.Untag(t.Context(), part.Names(), []images.UntagOp{test.op})
		if err != nil || len(done[thePart]) != 1 || done[thePart][0].Removed != test.want {
			t.Errorf("%s: %+v, %v", test.name, done, err)
		}
	}
	states := must[images.States](t)(part(t, server, Asks{}).Probe(t.Context()))
	if diff := cmp.Diff([]string{dev}, states.Tags()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecordedContentIsFoundWithoutATag(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if _, err := load(t, part(t, server, Asks{}), app(t, "1"), images.Name{Text: recorded}); err != nil {
		t.Fatal(err)
	}
	content := must[map[string]Content](t)(server.open(t).Look(t.Context(), server.host+"/dev/datastorage:suite-1"))[server.host+"/dev/datastorage:suite-1"]
	if _, err := load(t, part(t, server, Asks{}), app(t, "2"), images.Name{Text: recorded}); err != nil {
		t.Fatal(err)
	}
	pinned := nodesSide + "/datastorage@" + content.Digest.String()
	gone := nodesSide + "/datastorage@" + digest.FromString("x").String()
	looking := part(t, server, Asks{Pinned: []string{pinned, gone}, Also: map[string][]string{recorded: {"localhost/datastorage:dev"}}})
	states := must[images.States](t)(looking.Probe(t.Context()))
	first, second := app(t, "1").id(t).String(), app(t, "2").id(t).String()
	state := states[looking.Name()]
	if state.ID(first) != first || state.ID(pinned) != first || state.ID(recorded) != second || state.ID("localhost/datastorage:dev") != second || state.ID(gone) != "" {
		t.Errorf("%+v", state.Images)
	}
	if found, ok := looking.Content(first); !ok || found.Digest != content.Digest {
		t.Errorf("%+v", found)
	}
	// By its digest it can get its tag back.
	op := images.TagOp{Target: recorded, Owner: owner, ImageID: first, Back: true}
	looking.own(recorded, owner, content)
	done, err := looking.Tag(t.Context(), looking.Names(), []images.TagOp{op})
	if err != nil || done[looking.Name()][0].ImageID != first {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestALayoutIsLoadedIntoARegistryWithAllItsPlatforms(t *testing.T) {
	t.Parallel()
	server := serve(t)
	f := folder{}
	root, ids := four(t, f)
	done, err := loadFrom(t, part(t, server, Asks{}), f.source(t, root), images.Name{Text: dev})
	if err != nil || done.Layers < 4 || done.Sent < done.Bytes {
		t.Fatalf("%+v, %v", done, err)
	}
	for platform, id := range ids {
		asking := part(t, server, Asks{})
		asking.asks.Platform = platform
		states := must[images.States](t)(asking.Probe(t.Context()))
		if got := states[thePart].ID(dev); got != id.String() {
			t.Errorf("%s: %s instead of %s", platform, got, id)
		}
		if got := states[thePart].ID(nodesSide + "/datastorage@" + root.Digest.String()); got != id.String() {
			t.Errorf("%s: by the index's digest it is %s", platform, got)
		}
	}
	// Once more nothing goes, and the tag gets the whole index.
	server.since()
	tagging := part(t, server, Asks{})
	must[images.States](t)(tagging.Probe(t.Context()))
	op := images.TagOp{Target: recorded, Owner: owner, ImageID: ids["linux/amd64"].String()}
	if _, err := tagging.Tag(t.Context(), tagging.Names(), []images.TagOp{op}); err != nil {
		t.Fatal(err)
	}
	found := must[map[string]Content](t)(server.open(t).Look(t.Context(), server.host+"/dev/datastorage:suite-1"))
	if found[server.host+"/dev/datastorage:suite-1"].Digest != root.Digest || server.pushes() > 0 {
		t.Errorf("it has %v", found)
	}
}

func TestALayoutWithOnePlatformOfItsIndexIsLoadedAsOneImage(t *testing.T) {
	t.Parallel()
	server := serve(t)
	f := folder{}
	root, ids := four(t, f)
	source := f.source(t, root)
	lacking := image{platform: "linux/s390x", layers: [][]byte{layer(t, "app", "linux/s390x")}}
	delete(f, "blobs/sha256/"+digest.FromBytes(lacking.layers[0]).Encoded())
	done, err := loadFrom(t, part(t, server, Asks{}), source, images.Name{Text: dev})
	if err != nil || done.Layers != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	found := must[map[string]Content](t)(server.open(t).Look(t.Context(), server.host+"/dev/datastorage:dev"))
	content := found[server.host+"/dev/datastorage:dev"]
	if content.Index || !content.Has(ids["linux/amd64"]) {
		t.Errorf("it has %+v", content)
	}
}
