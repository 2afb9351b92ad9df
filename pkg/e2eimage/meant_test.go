package e2eimage

import (
	"context"
	"strings"
	"testing"
)

func TestAMistypedNameIsNoReasonToRecordIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	client, typo := b.client(), suite("", "datastorag")
	typo.Images[0].Source = ""
	for verb, carryOut := range map[string]func(context.Context) error{
		"ref":    func(ctx context.Context) error { _, err := client.Ref(ctx, RefInput{Suite: typo}); return err },
		"render": func(ctx context.Context) error { _, err := client.Render(ctx, RenderInput{Suite: typo}); return err },
		"deploy": func(ctx context.Context) error { _, err := client.Deploy(ctx, DeployInput{Suite: typo}); return err },
		"clean":  func(ctx context.Context) error { _, err := client.Clean(ctx, CleanInput{Suite: typo}); return err },
		"verify": func(ctx context.Context) error { _, err := client.Verify(ctx, VerifyInput{Suite: typo}); return err },
		"status": func(ctx context.Context) error {
			result, err := client.Status(ctx, StatusInput{Suite: typo})
			if err != nil || len(result.Mend) > 0 {
				t.Errorf("status: %v, and to mend it %q", err, result.Mend)
			}
			return &DisagreementError{Images: result.Images}
		},
	} {
		err := carryOut(t.Context())
		says(t, err, "; did you mean datastorage?")
		if strings.Contains(err.Error(), "kubectl e2eimage") {
			t.Errorf("%s: it suggests to record the mistake: %v", verb, err)
		}
	}
	typo.Consumer = "suite"
	_, err := client.Ref(t.Context(), RefInput{Suite: typo})
	says(t, err, `for consumer "suite"; did you mean datastorage?`)
	_, err = client.Ref(t.Context(), RefInput{Suite: suite("other", "datastorage")})
	says(t, err, "recorded there:\n  datastorage for consumer suite")
}
