package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	got, err := address("2: eth0    inet 10.89.0.4/24 brd 10.89.0.255 scope global eth0\\       valid_lft forever\n")
	if err != nil || got.String() != "10.89.0.4/24" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := address(""); err == nil {
		t.Error("no address is no error")
	}
}

func TestRoutesLeadToAllOthers(t *testing.T) {
	got := routes(netip.MustParsePrefix("172.18.0.2/16"))
	if n := strings.Count(got, "\n"); n != 253 {
		t.Errorf("%d routes", n)
	}
	if strings.Contains(got, "172.18.0.2 ") || !strings.Contains(got, "route replace 10.244.3.0/24 via 172.18.0.3 dev eth0\n") {
		t.Errorf("got:\n%.200s", got)
	}
	if got := routes(netip.MustParsePrefix("10.0.0.5/30")); strings.Count(got, "\n") != 3 {
		t.Errorf("routes beyond the neighbours:\n%s", got)
	}
}

func TestConflistIsJSON(t *testing.T) {
	text := conflist(netip.MustParsePrefix("10.89.0.4/24"))
	if !json.Valid([]byte(text)) || !strings.Contains(text, `"subnet": "10.244.4.0/24"`) {
		t.Errorf("got %s", text)
	}
}
