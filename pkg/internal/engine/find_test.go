package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

const (
	oneID = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	twoID = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// host answers for engines by the first words of a command; an engine that it has
// no word for is not installed.
type host map[string]func(argv []string, out io.Writer) error

func (h host) Run(_ context.Context, command hostexec.Command) error {
	for words, answer := range h {
		if strings.HasPrefix(strings.Join(command.Argv, " "), words) {
			return answer(command.Argv, command.Stdout)
		}
	}
	return &hostexec.CommandError{Argv: command.Argv, Err: exec.ErrNotFound}
}

func prints(text string) func([]string, io.Writer) error {
	return func(_ []string, out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	}
}

func fails(t *testing.T, stderr string) func([]string, io.Writer) error {
	t.Helper()
	// A real exit code: nobody can make an exec.ExitError.
	err := exec.Command("sh", "-c", "exit 125").Run()
	return func(argv []string, _ io.Writer) error {
		return &hostexec.CommandError{Argv: argv, Stderr: stderr, Err: err}
	}
}

func imageOf(id, more string) func([]string, io.Writer) error {
	return prints(fmt.Sprintf(`[{"Id":%q,"RepoTags":["localhost/x:dev","x:other"],"Os":"linux","Architecture":"arm64","Variant":"v8","Size":42,"GraphDriver":{"Name":"overlay2"},
"RootFS":{"Layers":[%q]}%s}]`, id, oneID, more))
}

func TestAnImageIsFoundInTheEngineThatHasIt(t *testing.T) {
	t.Parallel()
	const podman, docker = "podman image inspect -- ", "docker image inspect -- "
	absent, down := fails(t, "Error: no such image x"), fails(t, "Cannot connect to the Docker daemon")
	bare := strings.TrimPrefix(oneID, "sha256:")
	tests := map[string]struct {
		host    host
		only    string
		want    string
		wantErr []string
	}{
		"podman alone":                  {host: host{podman: imageOf(bare, `,"ManifestType":"x"`)}, want: "podman"},
		"docker alone":                  {host: host{docker: imageOf(oneID, "")}, want: "docker"},
		"docker, podman has none":       {host: host{podman: absent, docker: imageOf(oneID, "")}, want: "docker"},
		"docker is podman in disguise":  {host: host{podman: imageOf(bare, `,"ManifestType":"x"`), docker: imageOf(bare, `,"ManifestType":"x"`)}, want: "podman"},
		"both have the same":            {host: host{podman: imageOf(bare, `,"ManifestType":"x"`), docker: imageOf(oneID, "")}, want: "podman"},
		"the same by a manifest's ID":   {host: host{podman: imageOf(bare, ""), docker: imageOf(twoID, `,"GraphDriver":{"Name":"overlayfs"}`)}, want: "podman"},
		"the one that is asked":         {host: host{podman: imageOf(bare, ""), docker: imageOf(twoID, "")}, only: "docker", want: "docker"},
		"both have different ones":      {host: host{podman: imageOf(bare, ""), docker: imageOf(twoID, "")}, wantErr: []string{"podman has sha256:111111111111", "docker has sha256:222222222222", "--engine"}},
		"none here":                     {host: host{}, wantErr: []string{"no container engine here", "docker-archive:FILE"}},
		"nobody has it":                 {host: host{podman: absent, docker: absent, "podman image ls": prints("localhost/x:dev\n<none>:<none>\n")}, wantErr: []string{"no image localhost/x:typo in podman or docker", "; did you mean localhost/x:dev?"}},
		"the one that may is not there": {host: host{podman: absent, docker: down}, wantErr: []string{"no image localhost/x:typo in podman (docker did not answer, and may have it)"}},
		"what was meant is there":       {host: host{podman: absent, docker: down, "podman image ls": prints("localhost/x:dev\n")}, wantErr: []string{"no image localhost/x:typo in podman (docker did not answer, and may have it); did you mean localhost/x:dev?"}},
		"letters changed places":        {host: host{podman: absent, "podman image ls": prints("localhost/z:dev\nlocalhost/y:typo\n")}, wantErr: []string{"; did you mean localhost/y:typo?"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := Find(t.Context(), test.host, test.only, "localhost/x:typo")
			if test.wantErr == nil {
				if err != nil || found.Engine != test.want {
					t.Fatalf("found in %q, %v; want %q", found.Engine, err, test.want)
				}
				if found.Platform != "linux/arm64" || strings.Join(found.Names, " ") != "docker.io/library/x:other localhost/x:dev" {
					t.Errorf("%s, %v", found.Platform, found.Names)
				}
				return
			}
			for _, want := range test.wantErr {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not say %q", err, want)
				}
				if strings.Contains(want, "localhost/x:typo") && strings.Contains(err.Error(), "\n") {
					t.Errorf("it takes more than a line: %v", err)
				}
			}
		})
	}
}

func TestASearchThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := Find(ctx, host{}, "", "x"); !errors.Is(err, stopped) {
		t.Errorf("error %v", err)
	}
}
