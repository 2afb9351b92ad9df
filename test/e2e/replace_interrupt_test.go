package e2e

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// What holds the Job keeps it from going, for as long as the test wants.
func TestAReplacementThatIsCutOffLosesNothing(t *testing.T) {
	t.Parallel()
	source, id := shared(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
			held := strings.Replace(jobOf("migrate", "localhost/none:none"), "name: migrate", "name: migrate, finalizers: [example.com/held]", 1)
			u.apply(held)
			letGo := func() {
				u.kubectl("patch", "job", "migrate", "--type=json", "-p", `[{"op": "remove", "path": "/metadata/finalizers"}]`)
			}
			temporary := tempDir(t)
			u.env = append(u.env, "TMPDIR="+temporary)
			result := u.finish(u.plugin("deploy", "datastorage", "--consumer", u.namespace, "--workload", "job/migrate", "--replace"), func(process *os.Process) {
				waitFor(t, "the Job is being deleted", func() bool {
					return u.kubectl("get", "job", "migrate", "-o", "jsonpath={.metadata.deletionTimestamp}") != ""
				})
				_ = process.Signal(signal)
				if signal == syscall.SIGINT {
					letGo()
				}
			})
			if result.code != exits[signal] {
				t.Errorf("exit %d: %s", result.code, result.stderr)
			}
			left, err := os.ReadDir(temporary)
			if err != nil {
				t.Fatal(err)
			}
			if signal == syscall.SIGINT {
				letGo() // the new one
				if result.stdout != "job.batch/migrate replaced\n" || len(left) != 0 {
					t.Errorf("it says %q and leaves %v", result.stdout, left)
				}
				return
			}
			letGo()
			waitFor(t, "the Job is gone", func() bool { return u.kubectl("get", "job", "migrate", "--ignore-not-found") == "" })
			said := regexp.MustCompile(`kubectl create -f (\S+)`).FindStringSubmatch(result.stderr)
			if said == nil || len(left) != 1 {
				t.Fatalf("it leaves %v and says\n%s", left, result.stderr)
			}
			u.kubectl("create", "-f", said[1])
			letGo()
			u.must("deploy", "datastorage", "--workload", "job/migrate", "--replace")
			if got := u.everRan("job-name=migrate"); len(got) != 1 || got[0] != id {
				t.Errorf("it ran %v", got)
			}
		})
	}
}
