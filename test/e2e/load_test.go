package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

// loaded is what load -o json prints.
type loaded struct {
	Images []struct {
		Image, ImageID string
		Bytes, Sent    int64
		Nodes          []struct {
			Node   string
			Sent   int64
			Layers int
			Named  bool
		}
	}
}

func (u *user) load(args ...string) loaded {
	u.t.Helper()
	var result loaded
	if err := json.Unmarshal([]byte(u.must(append([]string{"load", "-o", "json"}, args...)...)), &result); err != nil {
		u.t.Fatal(err)
	}
	return result
}

// service is an image that runs, with further layers.
func (u *user) service(ref string, layers ...[]scratchimage.File) scratchimage.Image {
	return scratchimage.Image{
		Reference: ref, Files: []scratchimage.File{{Path: "/service", Source: suite.service, Mode: 0o755}},
		Layers: layers, Entrypoint: []string{"/service"},
		Labels: map[string]string{"build": fmt.Sprintf("%s-%d", u.namespace, counter.Add(1))},
	}
}

func (u *user) archive(images ...scratchimage.Image) string {
	u.t.Helper()
	file := filepath.Join(tempDir(u.t), "image.tar")
	if err := scratchimage.WriteArchive(file, images...); err != nil {
		u.t.Fatal(err)
	}
	return file
}

func text(path, content string) []scratchimage.File {
	return []scratchimage.File{{Path: path, Content: []byte(content)}}
}

// shapes are images that a loader can get wrong.
func (u *user) shapes() map[string]scratchimage.Image {
	ref := func(name string) string { return "localhost/" + u.namespace + "-" + name + ":dev" }
	many := u.service(ref("many"))
	for i := range 120 {
		many.Layers = append(many.Layers, text(fmt.Sprintf("/layers/%d", i), u.namespace+fmt.Sprint(i)))
	}
	same := text("/same", u.namespace)
	zipped := u.service(ref("zipped"), text("/zipped", u.namespace))
	zipped.Compress = true
	return map[string]scratchimage.Image{
		"one layer": {
			Reference: ref("one"), Files: append(text("/content", u.namespace), scratchimage.File{Path: "/service", Source: suite.service, Mode: 0o755}),
			Entrypoint: []string{"/service"},
		},
		"a hundred layers":          many,
		"the same layer twice":      u.service(ref("twice"), same, text("/between", u.namespace), same),
		"a whiteout":                u.service(ref("whiteout"), text("/dir/gone", u.namespace), text("/dir/.wh.gone", "")),
		"an opaque folder":          u.service(ref("opaque"), text("/dir/gone", u.namespace), append(text("/dir/.wh..wh..opq", ""), text("/dir/new", "x")...)),
		"a file made a folder":      u.service(ref("folder"), text("/thing", "file"), text("/thing/inside", "file")),
		"compressed layers":         zipped,
		"a name that looks like js": u.service(ref("json"), text("/{", u.namespace)),
		"an empty layer":            u.service(ref("nothing"), []scratchimage.File{}, text("/above", u.namespace)),
		"links": u.service(ref("links"), append(text("/dir/file", u.namespace),
			scratchimage.File{Path: "/dir/same", Same: "/dir/file"}, scratchimage.File{Path: "/dir/link", Link: "../dir/file"}, scratchimage.File{Path: "/out", Link: "../../../etc/passwd"})),
		"modes and attributes": u.service(ref("modes"), []scratchimage.File{
			{Path: "/setuid", Content: []byte(u.namespace), Mode: 0o755 | fs.ModeSetuid},
			{Path: "/secret", Content: []byte("x"), Mode: 0o400},
			{Path: "/marked", Content: []byte("x"), Attributes: map[string]string{"user.e2eimage": u.namespace}},
		}),
		"long names": u.service(ref("names"), text("/"+strings.Repeat("größer/", 30)+strings.Repeat("x", 200), u.namespace)),
	}
}

// tree is the checksum of an image's unpacked files on a node.
func tree(t *testing.T, node, image string) string {
	t.Helper()
	return onNode(t, node, "sh", "-c", `dir=$(mktemp -d) && ctr -n k8s.io images mount "$1" "$dir" >/dev/null 2>&1 &&
cd "$dir" && find . -exec stat -c '%n %F %a %u %g %s' {} + | grep -v '^\. ' | sort | sha256sum &&
tar --sort=name --xattrs --xattrs-include='*' --mtime=@0 --pax-option=delete=atime,delete=ctime -cf - . | sha256sum
cd / && ctr -n k8s.io images unmount --rm "$dir" >/dev/null 2>&1; rmdir "$dir"`, "tree", image)
}

func TestANodeHasTheSameAfterLoadAsAfterKindsOwn(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	for name, image := range u.shapes() {
		// No two share all their layers.
		image.Layers = append(image.Layers, text("/shape", u.namespace+name))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, err := image.ImageID()
			if err != nil {
				t.Fatal(err)
			}
			archive := u.archive(image)
			// One node gets it the whole way, the others as load does it.
			if err := kindtest.LoadArchive(t.Context(), suite.provider, suite.cluster, archive, suite.nodes[0]); err != nil {
				t.Fatal(err)
			}
			result := u.load("--source", "docker-archive:"+archive)
			got := result.Images[0]
			if got.ImageID != id || got.Image != image.Reference {
				t.Errorf("load says %s is %s, want %s, %s", got.Image, got.ImageID, image.Reference, id)
			}
			has := imagesOn(t)
			want := tree(t, suite.nodes[0], image.Reference)
			for i, node := range suite.nodes {
				if has[node][image.Reference] != id {
					t.Errorf("node %s has %q", node, has[node][image.Reference])
				}
				if sent := got.Nodes[i].Sent > 0; sent != (i > 0) {
					t.Errorf("node %s was sent %d bytes", node, got.Nodes[i].Sent)
				}
				if files := tree(t, node, image.Reference); files != want || len(files) < 100 {
					t.Errorf("node %s has the files\n%s, want\n%s", node, files, want)
				}
				if check := onNode(t, node, "ctr", "-n", "k8s.io", "images", "check", "name=="+image.Reference); !strings.Contains(check, "complete (") {
					t.Errorf("node %s: ctr images check says %q", node, check)
				}
			}
			// The other way round: kind's own load finds everything there.
			if err := kindtest.LoadArchive(t.Context(), suite.provider, suite.cluster, archive, suite.nodes[1]); err != nil {
				t.Fatal(err)
			}
			if got := imagesOn(t)[suite.nodes[1]][image.Reference]; got != id || tree(t, suite.nodes[1], image.Reference) != want {
				t.Errorf("loaded by kind afterwards, the node has %q with other files", got)
			}
			if again := u.load("--source", "docker-archive:"+archive); again.Images[0].Sent != 0 {
				t.Errorf("loading again sent %d bytes", again.Images[0].Sent)
			}
		})
	}
}

// piped runs the plugin with a file as standard input.
func (u *user) piped(file string, args ...string) outcome {
	u.t.Helper()
	in, err := os.Open(file)
	if err != nil {
		u.t.Fatal(err)
	}
	defer in.Close()
	command := exec.CommandContext(u.t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"), args...)
	command.Dir, command.Env, command.Stdin = u.dir, u.env, in
	return u.finish(command, nil)
}

func compressed(t *testing.T, file string, compressor func(io.Writer) io.WriteCloser) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := compressor(&out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(tempDir(t), "compressed")
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func zstandard(w io.Writer) io.WriteCloser {
	encoder, _ := zstd.NewWriter(w) // only wrong options fail
	return encoder
}

// ociLayout makes a layout in a folder of a docker archive.
func ociLayout(t *testing.T, archive, ref string) string {
	t.Helper()
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(tempDir(t), "layout")
	written, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = written.AppendImage(image, layout.WithAnnotations(map[string]string{"io.containerd.image.name": ref}))
	}
	if err == nil && suite.ordinary != nil {
		err = suite.ordinary.Own(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadTakesImagesFromEverywhere(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	archiveOf := func(t *testing.T, ref string) (string, string) {
		image := u.service(ref, text("/content", ref))
		id, err := image.ImageID()
		if err != nil {
			t.Fatal(err)
		}
		return u.archive(image), id
	}
	// Each returns the source and what standard input is.
	sources := map[string]func(t *testing.T, archive, ref string) (string, string){
		"docker-archive": func(_ *testing.T, archive, _ string) (string, string) { return "docker-archive:" + archive, os.DevNull },
		"gzip": func(t *testing.T, archive, _ string) (string, string) {
			return "docker-archive:" + compressed(t, archive, gzipped), os.DevNull
		},
		"zstd": func(t *testing.T, archive, _ string) (string, string) {
			return "docker-archive:" + compressed(t, archive, zstandard), os.DevNull
		},
		"stdin": func(_ *testing.T, archive, _ string) (string, string) { return "-", archive },
		"zipped stdin": func(t *testing.T, archive, _ string) (string, string) {
			return "-", compressed(t, archive, gzipped)
		},
		"oci": func(t *testing.T, archive, ref string) (string, string) {
			return "oci:" + ociLayout(t, archive, ref), os.DevNull
		},
		"oci-archive": func(t *testing.T, archive, ref string) (string, string) {
			file := filepath.Join(tempDir(t), "oci.tar")
			if out, err := exec.CommandContext(t.Context(), "tar", "-C", ociLayout(t, archive, ref), "-cf", file, ".").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return "oci-archive:" + file, os.DevNull
		},
		"engine": func(t *testing.T, archive, ref string) (string, string) {
			if out, err := exec.CommandContext(t.Context(), suite.provider, "load", "-i", archive).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			t.Cleanup(func() { _ = exec.Command(suite.provider, "image", "rm", ref).Run() })
			return ref, os.DevNull
		},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref := "localhost/" + u.namespace + "-" + strings.ReplaceAll(name, " ", "-") + ":dev"
			archive, id := archiveOf(t, ref)
			from, stdin := source(t, archive, ref)
			result := u.piped(stdin, "load", "image", "--source", from)
			if result.code != 0 {
				t.Fatalf("exit %d: %s", result.code, result.stderr)
			}
			name := strings.TrimSpace(result.stdout)
			if name != ref {
				t.Errorf("printed %q, want %s", name, ref)
			}
			for node, has := range imagesOn(t) {
				if has[name] != id {
					t.Errorf("node %s has %s as %q, want %s", node, name, has[name], id)
				}
			}
		})
	}
}

func TestLoadSendsOnlyTheLayerThatChanged(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	first := u.service(ref, text("/version", "1 "+u.namespace))
	u.load("--source", "docker-archive:"+u.archive(first))
	second := u.service(ref, text("/version", "2 "+u.namespace))
	id, err := second.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	got := u.load("--source", "docker-archive:"+u.archive(second)).Images[0]
	for _, node := range got.Nodes {
		if node.Layers != 1 || node.Sent > 10_000 {
			t.Errorf("node %s was sent %d layers, %d bytes", node.Node, node.Layers, node.Sent)
		}
	}
	image := u.must("tag", "datastorage", "--source", ref, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", ref, 2))
	u.must("deploy", "datastorage")
	if got := u.runs(id); got < 2 {
		t.Errorf("%d containers run", got)
	}
	for node, has := range imagesOn(t) {
		if has[image] != id || len(has.with("import-")) > 0 {
			t.Errorf("node %s has %s as %q, and %v", node, image, has[image], has.with("import-"))
		}
	}
}

func TestLoadOfWhatIsThereAddsTheNameOnly(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	image := u.service("localhost/" + u.namespace + ":one")
	u.load("--source", "docker-archive:"+u.archive(image))
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	image.Reference = "localhost/" + u.namespace + ":two"
	got := u.load("--source", "docker-archive:"+u.archive(image)).Images[0]
	for _, node := range got.Nodes {
		if node.Sent != 0 || !node.Named {
			t.Errorf("node %s: %+v", node.Node, node)
		}
	}
	for node, has := range imagesOn(t) {
		if has[image.Reference] != id {
			t.Errorf("node %s has %q as %s", node, has[image.Reference], image.Reference)
		}
	}
}

func TestLoadRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref, text("/content", strings.Repeat(u.namespace, 100)))
	archive := u.archive(image)
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	write := func(content []byte) string {
		file := filepath.Join(tempDir(t), "damaged.tar")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cut := write(whole[:len(whole)/2])
	damaged := write(bytes.Replace(whole, []byte(u.namespace+u.namespace), []byte(u.namespace+strings.Repeat("x", len(u.namespace))), 1))
	two := u.service("localhost/" + u.namespace + ":other")
	several := u.archive(image, two)
	u.refused(1, []string{"cut off"}, "load", "--source", "docker-archive:"+cut)
	u.refused(1, []string{"is damaged: its content is sha256:"}, "load", "--source", "docker-archive:"+damaged)
	u.refused(1, []string{"several images", ref, ":other", "add :NAME to the path"}, "load", "--source", "docker-archive:"+several)
	u.refused(1, []string{"no image localhost/none:none", ref}, "load", "--source", "docker-archive:"+several+":localhost/none:none")
	u.refused(1, []string{"no image localhost/" + u.namespace + ":absent"}, "load", "--source", "localhost/"+u.namespace+":absent")
	for node, has := range imagesOn(t) {
		if left := has.with(u.namespace); len(left) > 0 {
			t.Errorf("node %s has %v", node, left)
		}
	}
	if got := u.load("--source", "docker-archive:"+several+":"+ref).Images[0]; got.Image != ref {
		t.Errorf("chosen by name it is %s", got.Image)
	}
}

// inEngine puts an image into the engine that the cluster runs on.
func (u *user) inEngine(image scratchimage.Image) (id string) {
	u.t.Helper()
	id, err := image.ImageID()
	if err != nil {
		u.t.Fatal(err)
	}
	archive := u.archive(image)
	for try := 1; ; try++ {
		out, err := exec.CommandContext(u.t.Context(), suite.provider, "load", "-i", archive).CombinedOutput()
		if err == nil {
			break
		}
		// docker with containerd's store fails where another test's image of the same
		// layers goes just then.
		if try == 5 || !strings.Contains(string(out), "does not exist: not found") {
			u.t.Fatalf("%v: %s", err, out)
		}
	}
	u.t.Cleanup(func() { _ = exec.Command(suite.provider, "image", "rm", image.Reference).Run() })
	return id
}

func TestAnEnginesImageIsSentOnceAndHealsNodesLater(t *testing.T) {
	t.Parallel()
	for _, root := range []bool{false, true} {
		if root && suite.ordinary == nil {
			continue // it was root before
		}
		// Root reads the engine's store and reaches nodes past the engine.
		t.Run(fmt.Sprintf("as root whoever the users are: %v", root), func(t *testing.T) {
			t.Parallel()
			enginesImageIsSentOnce(t, root)
		})
	}
}

func enginesImageIsSentOnce(t *testing.T, root bool) {
	t.Helper()
	u := newUser(t)
	u.root = root
	ref := "localhost/" + u.namespace + ":dev"
	first := u.service(ref, text("/version", "1"+u.namespace))
	u.inEngine(first)
	u.load("--source", ref, "--engine", suite.provider)

	id := u.inEngine(u.service(ref, text("/version", "2"+u.namespace)))
	result := u.e2eimage("load", "--source", ref, "-o", "json")
	if result.code != 0 || strings.Contains(result.stderr, "saves all") {
		t.Errorf("exit %d, and the engine saved all of the image: %s", result.code, result.stderr)
	}
	var parsed loaded
	if err := json.Unmarshal([]byte(result.stdout), &parsed); err != nil {
		t.Fatal(err)
	}
	got := parsed.Images[0]
	for _, node := range got.Nodes {
		if node.Layers != 1 || node.Sent > 10_000 || got.ImageID != id {
			t.Errorf("node %s was sent %d layers, %d bytes of %s", node.Node, node.Layers, node.Sent, got.ImageID)
		}
	}
	image := u.must("tag", "datastorage", "--source", ref, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", ref, 0))
	u.must("deploy", "datastorage")
	for _, name := range []string{image, ref, id} {
		onNodes(t, "ctr", "-n", "k8s.io", "images", "rm", "--sync", name)
	}
	waitFor(t, "no node has the image", func() bool {
		for _, has := range imagesOn(t) {
			if has.has(id) {
				return false
			}
		}
		return true
	})
	result = u.e2eimage("deploy", "datastorage")
	if result.code != 0 || !strings.Contains(result.stderr, "restored it from "+suite.provider) {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	for node, has := range imagesOn(t) {
		if has[image] != id {
			t.Errorf("node %s has %q as %s", node, has[image], image)
		}
	}
}

func TestReleaseTakesTheImageOutOfTheEngine(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	id := u.inEngine(u.service(ref))
	u.must("load", "--source", ref, "--release")
	if err := exec.CommandContext(t.Context(), suite.provider, "image", "inspect", ref).Run(); err == nil {
		t.Error("the engine still has it")
	}
	for node, has := range imagesOn(t) {
		if has[ref] != id {
			t.Errorf("node %s has %q", node, has[ref])
		}
	}
}

func TestADryRunOfLoadSaysWhatWouldBeSent(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref, text("/content", u.namespace))
	result := u.e2eimage("load", "--source", "docker-archive:"+u.archive(image), "--dry-run")
	if result.code != 0 || !strings.Contains(result.stderr, "would send") || !strings.Contains(result.stderr, "of 2 layers to "+suite.nodes[0]) {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	for node, has := range imagesOn(t) {
		if has[ref] != "" {
			t.Errorf("node %s has it", node)
		}
	}
}

func TestAnImageWithoutLayers(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	image := scratchimage.Image{Reference: "localhost/" + u.namespace + "-empty:dev", Labels: map[string]string{"build": u.namespace}}
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	u.load("--source", "docker-archive:"+u.archive(image))
	for node, has := range imagesOn(t) {
		if has[image.Reference] != id {
			t.Errorf("node %s has %q", node, has[image.Reference])
		}
	}
}
