package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// BuildSpec is one build by an engine.
type BuildSpec struct {
	Engine string
	// Context is a folder, File a Dockerfile or "" for the engine's default.
	Context, File string
	Target        string
	Platform      string
	// Args are build arguments. Their values do not appear among the command's
	// own arguments, unless the engine itself would take them for its settings.
	Args    map[string]string
	NoCache bool
	// Flags are handed on as they are.
	Flags []string
	// Output gets what the engine says.
	Output io.Writer
	// LeaveOut is nil where the context is sent as it is. It changes no image.
	LeaveOut *LeaveOut `json:"-"`
}

// buildGrace is how long a cancelled build may take to remove its containers.
const buildGrace = 10 * time.Second

// BuildError says that a build failed.
type BuildError struct {
	// By is the engine, or the user's own command.
	By string
	// Said are the last lines of its output.
	Said string
	Err  error
}

func (e *BuildError) Error() string {
	message := fmt.Sprintf("the build by %s failed", e.By)
	var failed *hostexec.CommandError
	switch {
	case !errors.As(e.Err, &failed):
		message += ": " + e.Err.Error()
	case failed.ExitCode() >= 0:
		message = fmt.Sprintf("the build by %s ended with exit code %d", e.By, failed.ExitCode())
	default:
		// Not its own output, of which Said is the end, and nothing secret.
		message += ": " + failed.Err.Error()
	}
	if e.Said != "" {
		message += "; its last output:\n" + e.Said
	}
	return message
}

// Unwrap returns how the command ended.
func (e *BuildError) Unwrap() error { return e.Err }

// Build builds an image and returns it. Podman gives it no name. Docker with
// containerd's store cannot look up what has none, so docker names it; the caller gives
// it another name, and then takes this one away with Remove.
func Build(ctx context.Context, runner hostexec.Runner, spec BuildSpec) (built Image, err error) {
	scratch, err := newScratch(ctx, runner)
	if err != nil {
		return Image{}, err
	}
	var stays error
	defer func() {
		if built.temporary == nil {
			_ = scratch.closeUnless(stays)
		}
	}()
	idFile := filepath.Join(scratch.dir, "id")
	name := temporaryBuild + strings.ToLower(rand.Text())
	if spec, err = spec.leavingOut(scratch.dir); err != nil {
		_ = scratch.Close()
		return Image{}, err
	}
	argv, env := spec.command(idFile, name)
	if spec.namesIt() {
		if err := scratch.note(spec.Engine, name); err != nil {
			return Image{}, err
		}
		defer func() {
			if err != nil {
				stays = removeName(ctx, runner, spec.Engine, name)
			}
		}()
	}
	for try := 1; ; try++ {
		err := build(ctx, runner, spec.Engine, hostexec.Command{Argv: argv, Env: env}, spec.Output)
		if err == nil {
			break
		}
		if try == buildTries || !isCacheRace(err) {
			return Image{}, err
		}
	}
	if spec.namesIt() {
		if built, err = findBuilt(ctx, runner, spec.Engine, name); err == nil {
			built.temporary = scratch
		}
		return built, err
	}
	id, err := os.ReadFile(idFile)
	if err != nil {
		return Image{}, fmt.Errorf("%s did not say which image it built: %w", spec.Engine, err)
	}
	full, ok := ociimage.ParseImageID(strings.TrimSpace(string(id)))
	if !ok {
		return Image{}, fmt.Errorf("%s did not say which image it built, but %q", spec.Engine, id)
	}
	return Find(ctx, runner, spec.Engine, full)
}

// findBuilt finds what a build left under a name, and the digest of its config.
func findBuilt(ctx context.Context, runner hostexec.Runner, engine, name string) (Image, error) {
	found, err := Find(ctx, runner, engine, name)
	if IsGone(err) {
		return found,
			fmt.Errorf("the build by %s succeeded, but %s does not have the image: with --output, or with a remote builder, "+
				"add --load", engine, engine)
	}
	if err != nil {
		return found, err
	}
	found.TryToIdentify(ctx, runner)
	return found, context.Cause(ctx)
}

// removeName takes away what a build that did not end well may have left under its name.
// Mostly there is nothing.
func removeName(ctx context.Context, runner hostexec.Runner, engine, name string) error {
	removing, cancel := outlive.WithGracePeriod(ctx, buildGrace)
	defer cancel()
	return unname(removing, runner, engine, name)
}

// namesIt tells whether the engine gives the built image a name.
func (s BuildSpec) namesIt() bool { return s.Engine == "docker" }

// IsTemporary tells whether the image was found by a name that Build has given it.
func (i Image) IsTemporary() bool { return i.temporary != nil }

// buildTries bounds how often a build is begun that its engine's cache made fail.
const buildTries = 3

// isCacheRace tells whether an engine looked at something in its cache that somebody
// removed with another image just then: podman at a layer, docker without BuildKit at an
// image. Begun again, the build does not see it.
func isCacheRace(err error) bool {
	var failed *BuildError
	return errors.As(err, &failed) && (strings.Contains(failed.Said, "layer not known") ||
		strings.Contains(failed.Said, `unable to find image "sha256:`))
}

// Run carries out the user's own command, which leaves an image under a name.
func Run(ctx context.Context, runner hostexec.Runner, argv, env []string, dir string, output io.Writer) error {
	return build(ctx, runner, argv[0], hostexec.Command{Argv: argv, Env: env, Dir: dir}, output)
}

func build(ctx context.Context, runner hostexec.Runner, by string, command hostexec.Command, output io.Writer) error {
	said := &lastLines{to: output}
	command.Stdout, command.Stderr, command.Grace, command.Tied = said, said, buildGrace, true
	err := runner.Run(ctx, command)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &BuildError{By: by, Said: said.String(), Err: err}
}

func (s BuildSpec) command(idFile, name string) (argv, env []string) {
	argv = []string{s.Engine, "build", "--iidfile", idFile}
	if s.namesIt() {
		argv = []string{s.Engine, "build", "--tag", name}
	}
	add := func(flag, value string) {
		if value != "" {
			argv = append(argv, flag, value)
		}
	}
	add("--file", s.File)
	add("--target", s.Target)
	add("--platform", s.Platform)
	for _, key := range slices.Sorted(maps.Keys(s.Args)) {
		// Both engines take the value of a bare name from the environment.
		if isSetting(key) {
			argv = append(argv, "--build-arg", key+"="+s.Args[key])
			continue
		}
		argv = append(argv, "--build-arg", key)
		env = append(env, key+"="+s.Args[key])
	}
	if s.Engine == "docker" {
		// Where docker keeps whole indexes, an attestation of the time would make
		// each build another image.
		env = append(env, "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	}
	if s.NoCache {
		argv = append(argv, "--no-cache")
	}
	argv = append(argv, s.Flags...)
	return append(argv, "--", s.Context), env
}

// isSetting tells whether an engine's own command would act on a variable.
func isSetting(key string) bool {
	if slices.Contains([]string{"PATH", "HOME", "USER", "TMPDIR", "TERM"}, key) {
		return true
	}
	return slices.ContainsFunc([]string{
		"DOCKER_", "BUILDKIT_", "BUILDX_", "CONTAINER", "PODMAN_", "BUILDAH_", "STORAGE_",
		"XDG_", "LD_", "SSL_", "GODEBUG",
	},
		func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// CommandLine is what a build would run, for people.
func (s BuildSpec) CommandLine() string {
	argv, _ := s.command("FILE", "NAME")
	for i, arg := range argv {
		if key, _, has := strings.Cut(arg, "="); has && i > 0 && argv[i-1] == "--build-arg" {
			argv[i] = key
		}
	}
	return strings.Join(argv, " ")
}

// Name gives an image of an engine another name.
func (i Image) Name(ctx context.Context, runner hostexec.Runner, name string) error {
	for try := 1; ; try++ {
		err := runner.Run(ctx, hostexec.Command{Argv: []string{i.Engine, "tag", i.EngineID, name}, Stdout: io.Discard})
		if err == nil || try == nameTries || !isNameRace(err) {
			return err
		}
	}
}

// nameTries bounds how often a name is given that others give at the same time.
const nameTries = 5

// isNameRace tells whether somebody else gave the name just then: docker with containerd's
// store moves a name by deleting it and making it anew.
func isNameRace(err error) bool {
	var failed *hostexec.CommandError
	return errors.As(err, &failed) && strings.Contains(failed.Stderr, "already exists")
}

// Installed returns those of the known engines that have a command here.
func Installed() []string {
	var found []string
	for _, engine := range engines {
		if _, err := exec.LookPath(engine); err == nil {
			found = append(found, engine)
		}
	}
	return found
}

// OnlyBuildKit tells whether docker build is BuildKit for certain. Docker's command
// itself decides it, by what is installed and set, and its help says how.
func OnlyBuildKit(ctx context.Context, runner hostexec.Runner, engine string) bool {
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: []string{engine, "build", "--help"}, Stdout: &out})
	return err == nil && strings.Contains(out.String(), "buildx build")
}
