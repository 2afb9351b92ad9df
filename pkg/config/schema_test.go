package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// node is the part of JSON schema that ours uses.
type node struct {
	Ref        string          `json:"$ref"`
	Type       json.RawMessage `json:"type"`
	Const      string          `json:"const"`
	Enum       []any           `json:"enum"`
	Required   []string        `json:"required"`
	Properties map[string]node `json:"properties"`
	Additional json.RawMessage `json:"additionalProperties"`
	Items      *node           `json:"items"`
	Defs       map[string]node `json:"$defs"`
}

type schemaTest struct {
	*testing.T
	root node
}

func TestTheSchemaHasTheFieldsOfTheGoTypes(t *testing.T) {
	t.Parallel()
	s := schemaTest{T: t}
	if err := json.Unmarshal(Schema(), &s.root); err != nil {
		t.Fatal(err)
	}
	s.same(s.root, reflect.TypeFor[file](), "")
	if want := []string{apiVersion, kind}; !slices.Equal(want, []string{s.root.Properties["apiVersion"].Const, s.root.Properties["kind"].Const}) {
		t.Errorf("apiVersion and kind are not %v", want)
	}
}

func (s schemaTest) same(n node, want reflect.Type, field string) {
	s.Helper()
	n = s.follow(n)
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	switch {
	case want == reflect.TypeFor[time.Duration]():
		s.typed(n, "string", field)
		return
	case want.Kind() == reflect.Struct:
		s.typed(n, "object", field)
		if string(n.Additional) != "false" {
			s.Errorf("%q: unknown fields are not refused", field)
		}
		var names []string
		for _, f := range reflect.VisibleFields(want) {
			name := f.Tag.Get("yaml")
			if name == "" {
				continue
			}
			names = append(names, name)
			if property, ok := n.Properties[name]; ok {
				s.same(property, f.Type, child(field, name))
			}
		}
		slices.Sort(names)
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(n.Properties))); diff != "" {
			s.Errorf("%q: fields of %v (-Go +schema):\n%s", field, want, diff)
		}
		for _, name := range n.Required {
			if !slices.Contains(names, name) {
				s.Errorf("%q: requires %q, which is no field", field, name)
			}
		}
	case want.Kind() == reflect.Map:
		s.typed(n, "object", field)
		var values node
		if err := json.Unmarshal(n.Additional, &values); err != nil {
			s.Errorf("%q: values: %v", field, err)
		}
		s.same(values, want.Elem(), field+".*")
	case want.Kind() == reflect.Slice:
		s.typed(n, "array", field)
		if n.Items == nil {
			s.Fatalf("%q: no items", field)
		}
		s.same(*n.Items, want.Elem(), field+"[]")
	case want.Kind() == reflect.String && (n.Const != "" || n.Enum != nil):
	default:
		s.typed(n, map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer"}[want.Kind()], field)
	}
}

func (s schemaTest) follow(n node) node {
	s.Helper()
	for n.Ref != "" {
		path, ok := strings.CutPrefix(n.Ref, "#/$defs/")
		name, property, deeper := strings.Cut(path, "/properties/")
		target, known := s.root.Defs[name]
		if deeper {
			target, known = target.Properties[property]
		}
		if !ok || !known {
			s.Fatalf("%s points nowhere", n.Ref)
		}
		n = target
	}
	return n
}

func (s schemaTest) typed(n node, want, field string) {
	s.Helper()
	if !strings.Contains(string(n.Type), `"`+want+`"`) {
		s.Errorf("%q: is %s, want %s", field, n.Type, want)
	}
}

func TestNobodyCanChangeTheSchema(t *testing.T) {
	t.Parallel()
	Schema()[0] = 'x'
	if Schema()[0] != '{' {
		t.Error("it changed")
	}
}
