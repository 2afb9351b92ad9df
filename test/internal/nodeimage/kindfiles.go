package nodeimage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// kindFiles copies the entrypoint, the units and the configuration files from
// kind's module, and adapts containerd's configuration.
func (t *tree) kindFiles(in inputs, pause string) {
	source := os.DirFS(filepath.Join(in.kindDir, "images", "base", "files"))
	t.do("kind's files", func() error {
		return fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !wanted(name) {
				return err
			}
			content, err := fs.ReadFile(source, name)
			if err != nil {
				return err
			}
			t.file(name, kindFileMode(name), content)
			return t.err
		})
	})
	t.edit("etc/containerd/config.toml", func(text string) (string, error) {
		return containerdConfig(text, pause, in.restrictOOM)
	})
}

// wanted leaves out what serves only kind's own image build.
func wanted(name string) bool {
	return !strings.HasPrefix(name, "LICENSES/") && name != "usr/local/bin/clean-install"
}

// kindFileMode is the rule of kind's Dockerfile.
func kindFileMode(name string) fs.FileMode {
	if strings.HasPrefix(name, "usr/local/bin/") || strings.HasPrefix(name, "kind/bin/") {
		return 0o755
	}
	return 0o644
}

// containerdConfig names the pause image that kubeadm names, so that one is
// enough, and keeps runc from lowering OOM scores where that is forbidden.
func containerdConfig(text, pause string, restrictOOM bool) (string, error) {
	sandbox := regexp.MustCompile(`(?m)^(\s*sandbox_image = )".*"$`)
	if len(sandbox.FindAllString(text, -1)) != 1 {
		return "", fmt.Errorf("not exactly one sandbox_image in kind's containerd configuration: adapt this to the new kind")
	}
	text = sandbox.ReplaceAllString(text, `${1}"`+pause+`"`)
	const off, on = "restrict_oom_score_adj = false", "restrict_oom_score_adj = true"
	if strings.Count(text, off) != 1 {
		return "", fmt.Errorf("not exactly one %q in kind's containerd configuration: adapt this to the new kind", off)
	}
	if restrictOOM {
		text = strings.Replace(text, off, on, 1)
	}
	return text, nil
}

// criBase is the runtime spec of every container on the node: containerd's
// default without resource limits, and with kind's hook.
func criBase(spec []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(spec))
	// Masks and limits do not fit into a float64.
	decoder.UseNumber()
	var s map[string]any
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("containerd's default runtime spec: %w", err)
	}
	process, isMap := s["process"].(map[string]any)
	if !isMap {
		return nil, fmt.Errorf("containerd's default runtime spec has no process")
	}
	delete(process, "rlimits")
	hooks, isMap := s["hooks"].(map[string]any)
	if !isMap {
		hooks = map[string]any{}
		s["hooks"] = hooks
	}
	before, _ := hooks["createContainer"].([]any)
	hooks["createContainer"] = append(before, map[string]any{"path": "/kind/bin/mount-product-files.sh"})
	return json.MarshalIndent(s, "", "  ")
}

// units leaves systemd only what a node needs, as kind's Dockerfile does.
func (t *tree) units() {
	for _, pattern := range []string{
		"usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
		"usr/lib/systemd/system/multi-user.target.wants/*",
		"etc/systemd/system/*.wants/*",
		"usr/lib/systemd/system/local-fs.target.wants/*",
		"usr/lib/systemd/system/sockets.target.wants/*udev*",
		"usr/lib/systemd/system/sockets.target.wants/*initctl*",
		"usr/lib/systemd/system/basic.target.wants/*",
	} {
		t.removeMatching(pattern)
	}
	t.edit("etc/systemd/journald.conf", func(text string) (string, error) { return text + "\nReadKMsg=no\n", nil })
	t.link("usr/sbin/init", "../lib/systemd/systemd")
	for _, unit := range []string{"kubelet.service", "containerd.service", "undo-mount-hacks.service", "podnetwork.service"} {
		t.link("etc/systemd/system/multi-user.target.wants/"+unit, "/etc/systemd/system/"+unit)
	}
	// binfmt is the kernel's, not the node's.
	t.link("etc/systemd/system/systemd-binfmt.service", "/dev/null")
	t.folder("etc/kubernetes/manifests")
}
