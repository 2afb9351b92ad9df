package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/internal/distributiontest"
)

// withRegistry starts a registry on this host that the user's engine can log in to, and returns
// where it is.
func (u *user) withRegistry() (host string) {
	u.t.Helper()
	program, err := registryProgram()
	if err != nil {
		u.t.Fatal(err)
	}
	started, err := distributiontest.Start(u.t.Context(), distributiontest.How{Dir: u.t.TempDir(), Program: program, IP: "127.0.0.1", Login: true})
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(started.Stop)
	login := base64.StdEncoding.EncodeToString([]byte(distributiontest.User + ":" + distributiontest.Password))
	u.write("docker/config.json", `{"auths":{"`+started.Host+`":{"auth":"`+login+`"}}}`)
	certificates := filepath.Join(u.dir, "home", ".config", "containers", "certs.d", started.Host)
	if err := os.MkdirAll(certificates, 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(certificates, "registry.crt"), started.CA, 0o600); err != nil {
		u.t.Fatal(err)
	}
	u.env = append(u.env, "HOME="+filepath.Join(u.dir, "home"), "DOCKER_CONFIG="+filepath.Join(u.dir, "docker"))
	return started.Host
}

// pushed puts an image of its own content into the registry only, and returns its ID.
func (u *user) pushed(ref string) string {
	u.t.Helper()
	u.inEngine(u.service(ref, text("/version", ref+u.namespace)))
	for _, argv := range [][]string{{"push", ref}, {"image", "rm", ref}} {
		if result := u.try(u.t.Context(), append([]string{suite.provider}, argv...)...); result.code != 0 {
			u.t.Fatalf("%v: exit %d: %s", argv, result.code, result.stderr)
		}
	}
	return ref
}

func TestImagesOfARegistryArePulledAndLoaded(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	host := u.withRegistry()
	first, second := u.pushed(host+"/team/"+u.namespace+"-a:1"), u.pushed(host+"/team/"+u.namespace+"-b:1")
	prebuilt := u.pushed(host + "/team/" + u.namespace + "-c:1")
	u.code("code")
	u.wipeHost()
	config := func(pull string) {
		u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n"+
			"- {name: a, external: '"+first+"'"+pull+"}\n- {name: b, external: '"+second+"'"+pull+"}\n"+
			"- {name: datastorage, repository: 'localhost/"+u.namespace+"', build: {context: code}, prebuilt: '"+prebuilt+"', pull: missing}\n")
	}
	config(", pull: never")
	u.refused(1, []string{"no image " + first, "no image " + second, suite.provider + " pull"}, "load", "a", "b")
	config("")
	if result := u.e2eimage("load", "a", "b", "--dry-run"); result.code != 0 || len(u.onHost(t.Context(), u.namespace)) > 0 {
		t.Errorf("dry: exit %d: %s", result.code, result.stderr)
	}
	u.must("load", "a", "b")
	for node, has := range imagesOn(t) {
		if has[first] == "" || has[second] == "" {
			t.Errorf("node %s has %v", node, has.with(u.namespace))
		}
	}
	// What is prebuilt is pulled as well, and nothing is built.
	image := u.must("build", "datastorage", "--prebuilt=require")
	var built struct{ Images []struct{ Prebuilt string } }
	if err := json.Unmarshal([]byte(u.must("build", "datastorage", "-o", "json")), &built); err != nil || len(built.Images) != 1 || built.Images[0].Prebuilt != prebuilt {
		t.Errorf("%v: built %+v", err, built)
	}
	u.must("load", "datastorage")
	if tagged := u.must("tag", "datastorage"); tagged != image {
		t.Errorf("tagged as %s, want %s", tagged, image)
	}
	wantEverywhere(t, image, u.lock(u.namespace)["datastorage"].ImageID)
	// What the registry does not have is said at once.
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- {name: a, external: '"+first+"0'}\n")
	u.refused(1, []string{"a: cannot pull " + first + "0: " + suite.provider + " pull"}, "load")
}
