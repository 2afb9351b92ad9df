package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// todays is a user with a service in the folder code, whose docker is that of today, with
// containerd's image store and buildx.
func todays(t *testing.T) *user {
	t.Helper()
	u := newUser(t)
	u.has("docker")
	return u
}

func TestDockerOfTodayLoadsWhateverBuildxLeaves(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"as it is":             nil,
		"without attestations": {"--provenance=false"},
		"with much of them":    {"--provenance=mode=max"},
		"for two platforms":    {"--platform=linux/amd64,linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := todays(t)
			before := u.temporary(t.Context())
			u.buildCode(flags...)
			first := u.load("--source", u.source(), "--engine", "docker").Images[0]
			// Of two platforms docker's archive has two configs.
			if len(flags) == 0 || !strings.HasPrefix(flags[0], "--platform") {
				if want := u.configOf(u.source()); first.ImageID != want {
					t.Errorf("the image ID is %s, want %s", first.ImageID, want)
				}
			}
			wantEverywhere(t, u.source(), first.ImageID)
			again := u.load("--source", u.source(), "--engine", "docker").Images[0]
			if again.Sent != 0 || again.ImageID != first.ImageID {
				t.Errorf("again %d bytes were sent, of %s", again.Sent, again.ImageID)
			}
			u.write("code/build", "second of "+u.namespace)
			u.buildCode(flags...)
			second := u.load("--source", u.source(), "--engine", "docker").Images[0]
			if second.ImageID == first.ImageID {
				t.Errorf("new content has the image ID of the old: %s", second.ImageID)
			}
			wantEverywhere(t, u.source(), second.ImageID)
			u.passing(before)
		})
	}
}

func TestDockerOfTodayIsFoundByItsContext(t *testing.T) {
	t.Parallel()
	u := todays(t)
	host := strings.TrimSpace(u.try(t.Context(), "printenv", "DOCKER_HOST").stdout)
	// The configuration of all these tests is not this one's to change.
	u.env = append(u.env, "DOCKER_CONFIG="+filepath.Join(u.dir, "docker"))
	u.ask(t.Context(), "context", "create", "todays", "--docker", "host="+host)
	u.env = append(without(u.env, "DOCKER_HOST"), "DOCKER_CONTEXT=todays")
	archive := u.archive(u.service(u.source(), text("/content", u.namespace)))
	u.ask(t.Context(), "load", "--quiet", "--input", archive)
	result := u.e2eimage("load", "--source", u.source(), "--engine", "docker")
	if result.code != 0 || strings.Contains(result.stderr, "saves all") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	wantEverywhere(t, u.source(), u.configOf(u.source()))
}

func TestDockerOfTodayBuildsLayoutsThatAreLoaded(t *testing.T) {
	t.Parallel()
	u := todays(t)
	for _, output := range []string{"type=oci,dest=oci.tar", "type=docker,dest=docker.tar"} {
		kind := "docker-archive:docker.tar"
		if strings.HasPrefix(output, "type=oci") {
			kind = "oci-archive:oci.tar"
		}
		u.write("code/build", output+" of "+u.namespace)
		u.buildCode("--output", output)
		got := u.load("--source", kind).Images[0]
		if got.Image != u.source() {
			t.Errorf("%s is loaded as %s, want %s", kind, got.Image, u.source())
		}
		wantEverywhere(t, u.source(), got.ImageID)
	}
}

// partOfAnIndex is an archive of an index for two platforms, with the content of one of
// them: what docker has of an image of a registry that it pulled for that one.
func (u *user) partOfAnIndex(present string) string {
	u.t.Helper()
	archive := u.archive(u.service(u.source(), text("/content", u.namespace)))
	var both v1.ImageIndex = empty.Index
	dir := filepath.Join(tempDir(u.t), "layout")
	var absent []v1.Image
	for _, architecture := range []string{"amd64", "arm64"} {
		image, err := tarball.ImageFromPath(archive, nil)
		if err != nil {
			u.t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			u.t.Fatal(err)
		}
		config = config.DeepCopy()
		config.Architecture, config.Author = architecture, u.namespace
		if image, err = mutate.ConfigFile(mutate.MediaType(image, types.OCIManifestSchema1), config); err != nil {
			u.t.Fatal(err)
		}
		both = mutate.AppendManifests(both, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
		if architecture != present {
			absent = append(absent, image)
		}
	}
	written, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = written.AppendIndex(both, layout.WithAnnotations(map[string]string{"io.containerd.image.name": u.source()}))
	}
	for _, image := range absent {
		digest, failed := image.Digest()
		err = errors.Join(err, failed, written.RemoveBlob(digest))
		if digest, failed = image.ConfigName(); failed == nil {
			failed = written.RemoveBlob(digest)
		}
		err = errors.Join(err, failed)
	}
	file := filepath.Join(u.dir, present+".tar")
	if err == nil {
		err = exec.CommandContext(u.t.Context(), "tar", "-C", dir, "-cf", file, ".").Run()
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return file
}

func TestDockerOfTodayLoadsWhatItHasOfAnIndex(t *testing.T) {
	t.Parallel()
	u := todays(t)
	u.ask(t.Context(), "load", "--quiet", "--input", u.partOfAnIndex("amd64"))
	loaded := u.load(u.source()).Images[0]
	wantEverywhere(t, u.source(), loaded.ImageID)
	image := u.must("tag", "part", "--source", u.source(), "--consumer", u.namespace)
	wantEverywhere(t, image, loaded.ImageID)
	other := todays(t)
	other.ask(t.Context(), "load", "--quiet", "--input", other.partOfAnIndex("arm64"))
	// Docker 29 does not say which platform that is.
	other.refused(3, []string{other.source() + " in docker is for", ", the nodes are linux/amd64; build it for linux/amd64"}, "load", other.source())
}
