package e2eimage

import (
	"context"
	"path/filepath"
)

// Diagnose writes what explains a failure into a new folder in that of Diagnostics: record,
// lock, status, workloads with pods, events and logs, and what the nodes have. The failure
// may be nil. A ctx that has ended is no obstacle.
func (s *Suite) Diagnose(ctx context.Context, failure error, options ...Option) (*DiagnoseResult, error) {
	chosen, suite, _, err := s.call(ctx, VerbDiagnose, options)
	if err != nil {
		return nil, err
	}
	return s.client.Diagnose(ctx, DiagnoseInput{
		Suite: suite, Dir: s.folder(chosen.Diagnostics), Failure: failure, Timeout: limit(chosen.Timeout, 0),
	})
}

// folder is a path from Options.Dir.
func (s *Suite) folder(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.client.options.Dir, path)
}

// explained is the error of a verb, with the folder that explains it where one was asked for.
// Mistakes in what was said need none.
func (s *Suite) explained(ctx context.Context, chosen Choices, in DiagnoseInput, err error) error {
	if err == nil || chosen.Diagnostics == "" || as[*UsageError](err) {
		return err
	}
	in.Dir, in.Failure = s.folder(chosen.Diagnostics), err
	result, failed := s.client.Diagnose(ctx, in)
	if failed != nil {
		s.client.report.Warn(failed.Error())
		return err
	}
	return &explainedError{err, result.Dir}
}

// explainedError is an error, and the folder that explains it.
type explainedError struct {
	err error
	dir string
}

func (e *explainedError) Error() string { return e.err.Error() + "\nwhat explains it is in " + e.dir }

func (e *explainedError) Unwrap() error { return e.err }
