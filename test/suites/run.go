package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a suite may clean up after a signal: it removes its cluster.
const grace = 3 * time.Minute

// quick is how long a test takes that is not worth a line when it passes.
const quick = time.Second / 2

// runAll runs the suites in their order, so many at once.
func runAll(ctx context.Context, suites []suite, atOnce int, out *screen) []result {
	results := make([]result, len(suites))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, s := range suites {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			begun := time.Now()
			results[i] = runSuite(ctx, s, out)
			results[i].took = time.Since(begun)
		})
	}
	all.Wait()
	return results
}

func runSuite(ctx context.Context, s suite, out *screen) result {
	r := result{suite: s}
	if ctx.Err() != nil {
		r.err = context.Cause(ctx)
		return r
	}
	cmd := exec.CommandContext(ctx, "go", s.command()...)
	// The tests are grandchildren, and get the signal with their parent.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = grace
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	done := make(chan []ended, 1)
	go func() { done <- follow(reader, s.name, out) }()
	r.err = cmd.Run()
	writer.Close()
	r.tests = <-done
	return r
}

// follow shows the tests as they end, but for quick ones that passed, and what they
// printed if they failed. It returns all of them.
func follow(in io.Reader, suite string, out *screen) []ended {
	var tests []ended
	printed := map[string]*strings.Builder{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			// Not of test2json: what go itself says.
			out.line(suite, lines.Text())
			continue
		}
		top, _, isChild := strings.Cut(e.Test, "/")
		key := e.Package + " " + top
		switch e.Action {
		case "output", "build-output":
			if e.Test == "" {
				out.line(suite, strings.TrimSuffix(e.Output, "\n"))
				continue
			}
			if printed[key] == nil {
				printed[key] = &strings.Builder{}
			}
			printed[key].WriteString(e.Output)
		case "pass", "fail", "skip":
			if e.Test == "" {
				continue
			}
			t := ended{pkg: e.Package, name: e.Test, action: e.Action, took: time.Duration(e.Elapsed * float64(time.Second))}
			tests = append(tests, t)
			if isChild {
				continue
			}
			if t.action == "fail" && printed[key] != nil {
				out.line(suite, strings.TrimSuffix(printed[key].String(), "\n"))
			}
			delete(printed, key)
			if t.action != "pass" || t.took >= quick {
				out.line(suite, fmt.Sprintf("%s %s %s", t.action, t.name, seconds(t.took)))
			}
		}
	}
	// What a process that was killed leaves: the output of the tests that still ran.
	for _, text := range printed {
		out.line(suite, strings.TrimSuffix(text.String(), "\n"))
	}
	return tests
}

// screen gets the lines of suites that run side by side, whole ones.
type screen struct {
	mu sync.Mutex
	w  io.Writer
}

// line prints text with the suite's name before each of its lines.
func (s *screen) line(suite, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(s.w, "%s: %s\n", suite, line)
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
