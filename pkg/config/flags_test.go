package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// A command line needs no variables of its own between its flags and Flags.
func TestFlagsOfACommandLineBindToTheFields(t *testing.T) {
	t.Parallel()
	var got Flags
	set := pflag.NewFlagSet("tag", pflag.ContinueOnError)
	for _, v := range got.variables() {
		if v.field != nil && set.Lookup(v.flag[2:]) == nil {
			set.StringVar(v.field, v.flag[2:], "", v.usage)
		}
	}
	set.StringSliceVar(&got.Workloads, "workload", nil, "")
	set.Func("timeout", "", func(text string) error {
		timeout, err := time.ParseDuration(text)
		got.Timeout = &timeout
		return err
	})
	if err := set.Parse([]string{"--consumer=a", "--prebuilt=require", "--workload=sts/x", "--timeout=5s", "storage"}); err != nil {
		t.Fatal(err)
	}
	got.Names = set.Args()
	want := Flags{
		Consumer: "a", Prebuilt: PrebuiltRequire, Workloads: []string{"sts/x"}, Timeout: new(5 * time.Second), Names: []string{"storage"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	suite, _ := resolved(t, got, variables{"E2EIMAGE_CONSUMER": "b", "E2EIMAGE_NAMESPACE": "tests"}, "")
	if suite.Consumer != "a" || suite.Namespace != "tests" || suite.Images[0].Deploy.Timeout != 5*time.Second {
		t.Errorf("got %+v", suite)
	}
}
