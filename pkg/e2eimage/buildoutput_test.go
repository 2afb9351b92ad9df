package e2eimage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// outputs keeps what commands print.
type outputs struct {
	progress.Discard
	told []string
}

func (o *outputs) Output(of, line string) bool {
	o.told = append(o.told, of+" | "+line)
	return true
}

func TestBuildOutputIsToldLineByLine(t *testing.T) {
	t.Parallel()
	key, end := "-----BEGIN PRIVATE "+"KEY-----", "-----END PRIVATE "+"KEY-----"
	const part = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"
	written := "STEP 1/2: FROM scratch\r\n 10%\r 50%\r100%\r\n\x1b[32mdone\x1b[0m\n" +
		"argument is s3cr3t-value\n" + key + "\n" + part + "\n" + end + "\n\x1b[1mDB_PASS\x1b[0m=hunter2\nno end"
	want := []string{
		"a | STEP 1/2: FROM scratch", "a | 100%", "a | done", "a | argument is ***",
		"a | " + key, "a | ***", "a | " + end, "a | DB_PASS=***", "a | no end",
	}
	// Engines write as they like.
	for _, size := range []int{1, 7, len(written)} {
		report := &outputs{}
		output := &outputLines{report: report, of: "a", masker: foreign.NewMasker("s3cr3t-value")}
		for rest := written; rest != ""; rest = rest[min(size, len(rest)):] {
			if _, err := output.Write([]byte(rest[:min(size, len(rest))])); err != nil {
				t.Fatal(err)
			}
		}
		output.flush()
		if diff := cmp.Diff(want, report.told); diff != "" {
			t.Errorf("in pieces of %d (-want +told):\n%s", size, diff)
		}
		if !output.shown {
			t.Error("it does not know that somebody saw it")
		}
	}
}

func TestWhatABuildSaidLastIsMaskedToo(t *testing.T) {
	t.Parallel()
	got := lastSaid("MIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE "+"KEY-----\n 1%\r 2%\nfailed with s3cr3t-value", []string{"s3cr3t-value"})
	if strings.Contains(got, "MII") || !strings.HasSuffix(got, "\n 2%\nfailed with ***") {
		t.Errorf("%s", got)
	}
}
