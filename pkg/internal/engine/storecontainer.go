package engine

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	_ "embed" // for the script
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vbatts/tar-split/tar/storage"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

//go:embed scripts/files.pl
var filesScript string

const (
	// maxDescription bounds the compressed description of a layer, in bytes. That of a
	// hundred thousand files is 4 MiB.
	maxDescription = 64 << 20
	// descriptionName and filesName are what a container has of a layer.
	descriptionName, filesName = "description", "files"
)

// containerFiles reads docker's store through a container. Who may use docker, but is not
// root, cannot read the store, nor can root where docker is on another machine or in a
// virtual one. The container sees the wanted layers of the one image, read-only, and no
// network.
type containerFiles struct {
	questions *io.PipeWriter
	answers   *bufio.Reader
	// stop ends reading, kill the engine's command; over is closed when that has ended.
	stop func(error)
	kill context.CancelFunc
	over chan struct{}
	// asking are the goroutines that ask for a layer's files ahead.
	asking sync.WaitGroup
}

// openContainer starts a container of an image that docker has and that has perl.
func (i Image) openContainer(ctx context.Context, runner hostexec.Runner, image string,
	layers []int,
) (storeFiles, error) {
	argv := []string{
		i.Engine, "run", "--rm", "--interactive", "--pull", "never", "--name",
		"e2eimage-read-" + strings.ToLower(rand.Text()[:12]),
		// What it prints is not to be kept in a log.
		"--log-driver", "none", "--network", "none", "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_READ_SEARCH",
		"--security-opt", "no-new-privileges", "--security-opt", "label=disable", "--user", "0:0", "--sig-proxy=false",
	}
	mount := func(from, to string) error {
		if strings.ContainsAny(from, ",\"\n") {
			return fmt.Errorf("docker's store is in %q, which cannot be mounted", from)
		}
		argv = append(argv, "--mount", "type=bind,readonly,source="+from+",target="+to)
		return nil
	}
	err := mount(i.stored.config, "/image/config")
	for _, n := range layers {
		err = errors.Join(err, mount(i.stored.layers[n].files, inContainer(n, filesName)),
			mount(i.stored.layers[n].description, inContainer(n, descriptionName)))
	}
	if err != nil {
		return nil, err
	}
	argv = append(argv, "--entrypoint", "perl", image, "-e", filesScript)

	running, kill := context.WithCancel(ctx)
	stdin, questions := io.Pipe()
	answers, stdout := io.Pipe()
	c := &containerFiles{
		questions: questions, answers: bufio.NewReaderSize(answers, chunkSize), kill: kill,
		over: make(chan struct{}),
	}
	c.stop = func(why error) {
		_ = answers.CloseWithError(why)
		_ = questions.Close()
	}
	go func() {
		defer close(c.over)
		defer kill()
		err := runner.Run(running, hostexec.Command{Argv: argv, Stdin: stdin, Stdout: stdout})
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		err = fmt.Errorf("the container that reads docker's store ended: %w", err)
		_ = stdout.CloseWithError(err)
		_ = stdin.CloseWithError(err)
	}()
	return c, nil
}

// chunkSize of what is read at once, in bytes.
const chunkSize = 1 << 20

// inContainer is where a container has a layer's file or folder.
func inContainer(layer int, name string) string {
	return path.Join("/image", strconv.Itoa(layer), name)
}

// Close implements storeFiles. The container ends with its stdin; an engine that does not
// say so is not waited for.
func (c *containerFiles) Close() error {
	c.stop(errors.New("closed"))
	c.asking.Wait()
	late := time.AfterFunc(hostexec.KillGrace, c.kill)
	defer late.Stop()
	<-c.over
	return nil
}

func (c *containerFiles) ask(path string) error {
	question := append(binary.BigEndian.AppendUint64(nil, uint64(len(path))), path...)
	_, err := c.questions.Write(question)
	return err
}

// answer is the next file that was asked for.
func (c *containerFiles) answer() (*io.LimitedReader, error) {
	var length [8]byte
	if _, err := io.ReadFull(c.answers, length[:]); err != nil {
		return nil, err
	}
	return &io.LimitedReader{R: c.answers, N: int64(binary.BigEndian.Uint64(length[:]))}, nil
}

// small is a file that has to be known as a whole.
func (c *containerFiles) small(path string, limit int64) ([]byte, error) {
	if err := c.ask(path); err != nil {
		return nil, err
	}
	file, err := c.answer()
	if err != nil {
		return nil, err
	}
	if file.N < 0 || file.N > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than any image", path, file.N)
	}
	text := make([]byte, file.N)
	_, err = io.ReadFull(file, text)
	return text, err
}

func (c *containerFiles) config() ([]byte, error) {
	return c.small("/image/config", ociimage.MaxMetadata)
}

// layer asks for all files at once: an answer for each question would cost more than the
// files do.
func (c *containerFiles) layer(n int) (io.ReadCloser, error) {
	description, err := c.small(inContainer(n, descriptionName), maxDescription)
	if err != nil {
		return nil, err
	}
	plain, err := gzip.NewReader(bytes.NewReader(description))
	if err != nil {
		return nil, err
	}
	ahead, err := gzip.NewReader(bytes.NewReader(description))
	if err != nil {
		return nil, err
	}
	c.asking.Go(func() {
		if err := c.askAll(ahead, inContainer(n, filesName)); err != nil {
			c.stop(err)
		}
	})
	return assemble(plain, answerGetter{c}), nil
}

// askAll asks for the files of a layer in the order of its archive.
func (c *containerFiles) askAll(description io.Reader, folder string) error {
	for entries := storage.NewJSONUnpacker(description); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// As asm.WriteOutputTarStream reads them.
		if entry.Type != storage.FileType || entry.Size == 0 {
			continue
		}
		name, err := localName(entry.GetName())
		if err == nil {
			err = c.ask(folder + "/" + name)
		}
		if err != nil {
			return err
		}
	}
}

// answerGetter gives a layer's files as they come: they were asked for in the order in
// which they are read.
type answerGetter struct{ *containerFiles }

// Get implements storage.FileGetter.
func (g answerGetter) Get(name string) (io.ReadCloser, error) {
	file, err := g.answer()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{file, closing(func() error {
		if file.N != 0 {
			return fmt.Errorf("%s is longer than its layer says", name)
		}
		return nil
	})}, nil
}
