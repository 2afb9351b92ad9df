package e2eimage

import (
	"bytes"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestASecondRecordOfAnImageIsToldWhereNobodySaidAConsumer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		consumer string
		told     bool
	}{
		"nobody said one": {"", true},
		"another is said": {"other", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			var said bytes.Buffer
			for _, told := range []bool{test.told, false} {
				said.Reset()
				client := b.client()
				client.report = progress.NewLines(&said, progress.AllSteps)
				if _, err := client.Tag(t.Context(), TagInput{Suite: suite(test.consumer, "datastorage")}); err != nil {
					t.Fatal(err)
				}
				words := "clean datastorage -n tests --consumer dev --scope=cluster\nthen tag with --consumer suite"
				if got := strings.Contains(said.String(), words); got != told {
					t.Errorf("told %t, want %t:\n%s", got, told, said.String())
				}
			}
		})
	}
}
