package registry

import (
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

const secret = "s3cret"

// user is whose credentials those for a host are.
func user(host string) string { return "me@" + strings.ReplaceAll(host, ":", "_") }

func authFile(t *testing.T, hosts ...string) string {
	t.Helper()
	var entries []string
	for _, host := range hosts {
		entries = append(entries, `"`+host+`":{"auth":"`+base64.StdEncoding.EncodeToString([]byte(user(host)+":"+secret))+`"}`)
	}
	file := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(file, []byte(`{"auths":{`+strings.Join(entries, ",")+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCredentialsAreFoundWhereDockerAndPodmanPutThem(t *testing.T) {
	t.Parallel()
	podman := authFile(t, "registry.example/team", "registry.example", "127.0.0.1:5000")
	docker := authFile(t, "registry.example", "other.example", "https://index.docker.io/v1/")
	keychain := &Keychain{Files: []string{"/nowhere/auth.json", podman, docker}}
	for repository, want := range map[string][2]string{
		"registry.example/team/app":       {"me@registry.example/team", podman},
		"registry.example/app":            {"me@registry.example", podman},
		"127.0.0.1:5000/app":              {"me@127.0.0.1_5000", podman},
		"other.example/app":               {"me@other.example", docker},
		"index.docker.io/library/app":     {"me@https_//index.docker.io/v1/", docker},
		"third.example/registry.example":  {"", ""},
		"sub.registry.example/app":        {"", ""},
		"registry.example:5000/team/deep": {"", ""},
	} {
		target := must[name.Repository](t)(name.NewRepository(repository))
		found := must[authn.Authenticator](t)(keychain.Resolve(target))
		config := must[*authn.AuthConfig](t)(found.Authorization())
		if got := [2]string{config.Username, keychain.source(target)}; got != want {
			t.Errorf("%s: %q instead of %q", repository, got, want)
		}
		if want[0] != "" && config.Password != secret {
			t.Errorf("%s: the password is %q", repository, config.Password)
		}
	}
}

func TestAFileThatNobodyCanReadIsNamedWithoutWhatIsInIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(file, []byte(`{"auths":{"x":{"auth":"`+secret+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&Keychain{Files: []string{file}}).Resolve(must[name.Repository](t)(name.NewRepository("x.example/app")))
	if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), secret) {
		t.Errorf("it says %v", err)
	}
}

func TestTheFilesAreThoseOfPodmanAndThenOfDocker(t *testing.T) {
	t.Parallel()
	env := func(set map[string]string) func(string) string { return func(key string) string { return set[key] } }
	for _, test := range []struct {
		set  map[string]string
		home string
		want []string
	}{
		{nil, "", nil},
		{nil, "/home/me", []string{"/home/me/.config/containers/auth.json", "/home/me/.docker/config.json"}},
		{
			map[string]string{"XDG_RUNTIME_DIR": "/run/user/1", "XDG_CONFIG_HOME": "/c", "DOCKER_CONFIG": "/d", "REGISTRY_AUTH_FILE": "/a.json"},
			"/home/me",
			[]string{"/a.json", "/run/user/1/containers/auth.json", "/c/containers/auth.json", "/d/config.json"},
		},
	} {
		if diff := cmp.Diff(test.want, CredentialFiles(env(test.set), test.home)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestALoginIsUsedAndNeverSaid(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, ok := r.BasicAuth(); ok && user == "me@"+strings.ReplaceAll(server.host, ":", "_") && password == secret {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	file := authFile(t, server.host)
	store := must[*Store](t)(Open(Options{Host: server.host, Keychain: &Keychain{Files: []string{file}}}))
	if _, _, err := store.deliver(t.Context(), server.host+"/app", single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "a", "b")}})); err != nil {
		t.Error(err)
	}
	wrong := filepath.Join(t.TempDir(), "config.json")
	text := `{"auths":{"` + server.host + `":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("you:"+secret)) + `"}}}`
	if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{
		"":    "wants a login, and there are no credentials for it",
		wrong: "does not accept the login in " + wrong,
	} {
		store := must[*Store](t)(Open(Options{Host: server.host, Keychain: &Keychain{Files: []string{file}}}))
		err := store.Check(t.Context(), server.host+"/app")
		if !is(err, Unauthorized) || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v", err)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("it says %v", err)
			}
		}
	}
}
