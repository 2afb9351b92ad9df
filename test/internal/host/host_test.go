package host

import "testing"

func TestBoundingSet(t *testing.T) {
	for _, c := range []struct {
		name, status string
		want, fails  bool
	}{
		{"all", "Name:\tx\nCapBnd:\t000001ffffffffff\nCapAmb:\t0\n", true, false},
		{"all but SYS_RESOURCE", "CapBnd:\t000001fffeffffff\n", false, false},
		{"no line", "CapEff:\t000001ffffffffff\n", false, true},
		{"no number", "CapBnd:\tx\n", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := boundingSetHas(c.status, CapSysResource)
			if got != c.want || (err != nil) != c.fails {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestDistribution(t *testing.T) {
	for _, c := range []struct {
		release, id string
		debianLike  bool
	}{
		{"ID=debian\n", "debian", true},
		{"NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "linuxmint", true},
		{"ID=\"fedora\"\nVERSION_ID=42\n", "fedora", false},
		{"", "", false},
	} {
		id, like := distribution(c.release)
		if id != c.id || like != c.debianLike {
			t.Errorf("%q: got %q, %v", c.release, id, like)
		}
	}
}

func TestLook(t *testing.T) {
	facts, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	if facts.NoFile == 0 || facts.NProc == 0 {
		t.Errorf("no limits: %+v", facts)
	}
}
