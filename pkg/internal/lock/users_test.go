//go:build unix

package lock

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asUser makes the test binary a user that puts an image into a lock, or reads it.
const asUser = "E2EIMAGE_TEST_LOCK"

// TestMain is that user where asUser is set: "put FILE NAME UMASK" or "read FILE NAME UMASK".
func TestMain(m *testing.M) {
	if words := os.Getenv(asUser); words != "" {
		if err := beUser(words); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beUser(words string) error {
	var do, path, name string
	var umask int
	if _, err := fmt.Sscanf(words, "%s %s %s %o", &do, &path, &name, &umask); err != nil {
		return err
	}
	syscall.Umask(umask)
	file := NewFile(path, "suite", "here")
	if do == "put" {
		// The root of all contexts of this process, which has no test.
		return file.Update(context.Background(), func(lock *Lock) error {
			lock.Put(name, Entry{Via: ViaBuild, Image: firstTag}, false)
			return nil
		})
	}
	lock, err := file.Read()
	if err == nil && lock.Images[name] == nil {
		err = fmt.Errorf("%s is not in the lock", name)
	}
	return err
}

func TestUsersShareALockAsTheyShareTheCheckout(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		// Only root can be two users; the rest of the world has one, which changes nothing here.
		t.Log("both users are this one")
	}
	for name, test := range map[string]struct {
		umask int
		// refused is whether the second user may not write, and is told so.
		refused bool
	}{
		"their group writes":      {umask: 0o002},
		"only the first one does": {umask: 0o022, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkout, binary := checkoutOfAGroup(t)
			path := filepath.Join(checkout, ".e2eimage", "suite.lock.yaml")
			user := func(uid int, do, name string) (string, error) {
				t.Helper()
				command := exec.CommandContext(t.Context(), binary)
				command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %o", asUser, do, path, name, test.umask))
				if os.Getuid() == 0 {
					command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: group}}
				}
				out, err := command.CombinedOutput()
				return string(out), err
			}
			if out, err := user(54321, "put", "first"); err != nil {
				t.Fatalf("the first user: %v: %s", err, out)
			}
			if out, err := user(54322, "read", "first"); err != nil {
				t.Errorf("the second user cannot read: %v: %s", err, out)
			}
			out, err := user(54322, "put", "second")
			if refused := err != nil; refused != (test.refused && os.Getuid() == 0) {
				t.Fatalf("the second user: %v: %s", err, out)
			}
			for _, want := range []string{checkout, "another user's", "--lock"} {
				if err != nil && !strings.Contains(out, want) {
					t.Errorf("the second user is told nothing of %s: %s", want, out)
				}
			}
			if err == nil {
				if out, err := user(54321, "put", "third"); err != nil {
					t.Errorf("the first user cannot write any more: %v: %s", err, out)
				}
			}
		})
	}
}

// group is that of both users.
const group = 54321

// checkoutOfAGroup returns a folder that a group writes to, and this binary where all
// users can run it.
func checkoutOfAGroup(t *testing.T) (checkout, binary string) {
	t.Helper()
	dir := t.TempDir()
	checkout, binary = filepath.Join(dir, "checkout"), filepath.Join(dir, "user")
	// What testing makes is root's only.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	// A process that had it open for writing could pass that on to another test's child,
	// and what somebody writes cannot be run.
	err := exec.CommandContext(t.Context(), "cp", os.Args[0], binary).Run()
	if err == nil {
		err = os.Mkdir(checkout, 0o775)
	}
	if err == nil && os.Getuid() == 0 {
		err = os.Chown(checkout, 0, group)
	}
	if err == nil {
		err = os.Chmod(checkout, 0o775|os.ModeSetgid)
	}
	if err != nil {
		t.Fatal(err)
	}
	return checkout, binary
}
