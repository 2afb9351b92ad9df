package config

import (
	"strings"
	"testing"
)

func TestAnImageIsNotNamedByADigest(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0a", 32)
	says := func(bare string) string {
		return `"` + bare + digest + `" has a digest, but on nodes the image has another digest, so no pod would find it; write ` + bare
	}
	refused(t, Flags{Names: []string{"a"}, Source: "localhost/x:v1" + digest}, nil, "", "--source: "+says("localhost/x:v1"))
	refused(t, Flags{}, nil, header+"images:\n- name: a\n  source: x"+digest+"\n- name: b\n  external: docker.io/pg:16"+digest+"\n",
		"e2eimage.yaml:5: images[0].source: "+says("x"), "e2eimage.yaml:7: images[1].external: "+says("docker.io/pg:16"))
	suite, err := Resolve(Flags{}, variables{"IMAGE": "localhost/x:v1" + digest}.lookup, workplace(t, header+"images: [{name: a, source: '{{env \"IMAGE\"}}'}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := suite.Need(FieldSource); err == nil || !strings.Contains(err.Error(), says("localhost/x:v1")) {
		t.Errorf("filled in it is %v", err)
	}
	// What only is where the content comes from may be pinned.
	if _, err := Resolve(Flags{}, nil, workplace(t, header+"images: [{name: a, prebuilt: 'x"+digest+"'}]\n")); err != nil {
		t.Error(err)
	}
	if _, err := Resolve(Flags{Names: []string{"a"}, Source: "oci-archive:x.tar:x" + digest}, nil, workplace(t, "")); err != nil {
		t.Error(err)
	}
}
