package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

func inRegistry() *Registry {
	return &Registry{Pull: "registry.example/team", Digest: digest.FromString("index"), Images: []PlatformImage{
		{Platform: "linux/amd64", Manifest: digest.FromString("amd64"), Config: oldID},
		{Platform: "linux/arm64", Manifest: digest.FromString("arm64"), Config: digest.FromString("arm64's")},
	}}
}

func TestARecordOfARegistryHasAllItsDigests(t *testing.T) {
	t.Parallel()
	set := newSet("ns", "suite")
	wish := wishFor("registry.example/team/datastorage:suite-1", oldID)
	wish.Registry = &Registry{Pull: "registry.example/team"}
	if _, err := set.Claim(wish, "run", repositoryOf); err != nil {
		t.Fatal(err)
	}
	claimed, err := set.Entry(wish.Name)
	if err != nil || claimed.APIVersion != RegistryAPIVersion || claimed.Registry.Pull != wish.Registry.Pull {
		t.Fatalf("claimed: %+v, %v", claimed, err)
	}
	if _, err := set.Complete(Fact{Name: wish.Name, Image: wish.Image, ImageID: wish.ImageID, Registry: inRegistry()}); err != nil {
		t.Fatal(err)
	}
	recorded, err := set.Entry(wish.Name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inRegistry(), recorded.Registry); diff != "" || recorded.APIVersion != RegistryAPIVersion {
		t.Errorf("%s (-want +got):\n%s", recorded.APIVersion, diff)
	}
	if want := wish.Image + "@" + digest.FromString("index").String(); recorded.Reference() != want {
		t.Errorf("workloads ask for %s instead of %s", recorded.Reference(), want)
	}
	// The next one is on nodes, and older versions may read that again.
	next := wishFor("localhost/datastorage:suite-2", newID)
	if _, err := set.Claim(next, "run", repositoryOf); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Complete(Fact{Name: next.Name, Image: next.Image, ImageID: next.ImageID, Keep: 2}); err != nil {
		t.Fatal(err)
	}
	recorded, err = set.Entry(wish.Name)
	if err != nil || recorded.APIVersion != APIVersion || recorded.Reference() != next.Image {
		t.Errorf("%+v, %v", recorded, err)
	}
}

func TestADigestThatIsNoneIsNotBelieved(t *testing.T) {
	t.Parallel()
	set := newSet("ns", "suite")
	evidence := &Evidence{State: Ready, Image: "registry.example/x:1", ImageID: oldID, Registry: inRegistry()}
	evidence.Registry.Digest = "sha256:short"
	if err := set.put("x", evidence); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Entry("x"); err == nil || !strings.Contains(err.Error(), "sha256:short") || !Damaged(err) {
		t.Errorf("it says %v", err)
	}
}
